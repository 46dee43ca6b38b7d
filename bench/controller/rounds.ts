import { setTimeout as sleep } from 'node:timers/promises';
import type { RateLimits } from '../../sources/github/simulated-limits.ts';
import { each, percent, quantile, type Row, said, seconds } from './figures.ts';
import type { ControllerBenchOptions } from './options.ts';
import { Population, type SourceName } from './population.ts';
import { countsOf, memoryOf, readingOf, type Spent, spent, total } from './readings.ts';
import { Stage } from './stage.ts';
import { type Say, waitUntil } from './wait.ts';

/** A minute in place of GitHub's hour, with the calls and creations of one. */
const SHORT_HOUR: RateLimits = { calls: 5000, creations: 500, hourMs: 60_000 };
const LIMIT_MS = { ready: 900_000, steady: 600_000, edit: 30_000 };
const SETTLE_MS = 15_000;
/** After the restart webhooks are compared so often, so that a minute sees each of them once. */
const HOOK_CHECK_MS = 60_000;
const OFTEN = 600_000 / HOOK_CHECK_MS;

/** From the start of a controller that finds all sources until each is Ready, with GitHub's limits in force. */
export function limitedRound({ limited }: ControllerBenchOptions, say: Say): Promise<Row[]> {
  return withStage({ limits: SHORT_HOUR, sources: limited, say }, async (stage, population) => {
    const { rows, since } = await becomeReady(stage, population, say);
    const refused = [...since.exchanges].filter(([key]) => /(403|429)$/.test(key));
    return [...rows, ['calls that GitHub refused', `${total(new Map(refused))}`]];
  });
}

/** The same without limits; then at rest, edits, a restart, and at rest again. */
export function unlimitedRound({ sources, edits, restSeconds }: ControllerBenchOptions, say: Say): Promise<Row[]> {
  return withStage({ limits: null, sources, say }, async (stage, population) => {
    const ready = await becomeReady(stage, population, say);
    const quiet = await rest(stage, restSeconds, say);
    say(`${edits} edits`);
    const times = await timesOfEdits(edits, stage, population);
    const restarted = await restart(stage, sources, say);
    // Each list of webhooks is read once more: from here on GitHub is asked with ETags.
    await sleep(HOOK_CHECK_MS * 1.2);
    const comparing = await rest(stage, restSeconds, say);
    return [
      ...ready.rows,
      ...quiet.rows,
      [`from an edit to the adapter, ${edits} of them`, `p50 ${quantile(times, 0.5)}, p99 ${quantile(times, 0.99)} ms`],
      ...restarted,
      ...comparing.rows.map(([name, figure]): Row => [`webhooks compared every minute: ${name}`, figure]),
      ['so, compared every 10 min, processor of the controller', usualShare(quiet.since, comparing.since)],
    ];
  });
}

async function withStage<Result>(
  { limits, sources, say }: { limits: RateLimits | null; sources: number; say: Say },
  act: (stage: Stage, population: Population) => Promise<Result>,
): Promise<Result> {
  const stage = await Stage.start(limits);
  const population = new Population(stage.api, sources);
  try {
    say(`making ${sources} sources`);
    await population.create(stage.githubUrl);
    stage.startAdapter();
    return await act(stage, population);
  } finally {
    await population.stop();
    await stage.stop();
  }
}

interface Round {
  readonly rows: Row[];
  readonly since: Spent;
}

async function becomeReady(stage: Stage, population: Population, say: Say): Promise<Round> {
  const count = population.names.length;
  const before = await readingOf(stage);
  stage.startController();
  const what = () => `${population.ready} of ${count} sources are Ready`;
  await waitUntil(() => population.ready === count, { limitMs: LIMIT_MS.ready, everyMs: 500, what, say });
  const since = spent(before, await readingOf(stage));
  const rows: Row[] = [
    [`all ${count} Ready`, `${seconds(since.ms)} s`],
    ['looks at each source', each(since.looks, count)],
    ['requests to the API server, a source', `${each(total(since.requests), count)} (${said(since.requests, count)})`],
    ['writes among them', said(since.writes, count)],
    ['calls to GitHub, a source', `${each(total(since.exchanges), count)} (${said(since.exchanges, count)})`],
    [
      'processor, a source',
      `controller ${each(since.controllerCpuMs, count)}, adapter ${each(since.adapterCpuMs, count)} ms`,
    ],
  ];
  return { rows, since };
}

async function rest(stage: Stage, restSeconds: number, say: Say): Promise<Round> {
  await sleep(SETTLE_MS);
  say(`at rest for ${restSeconds} s`);
  const before = await readingOf(stage);
  await sleep(restSeconds * 1000);
  const since = spent(before, await readingOf(stage));
  const { controller, adapter } = await memoryOf(stage);
  const memory = ({ now, peak }: typeof controller) => `${now.toFixed()} MB (peak ${peak.toFixed()})`;
  const rows: Row[] = [
    ['at rest, memory of the controller', memory(controller)],
    ['at rest, memory of the adapter', memory(adapter)],
    ['at rest, processor of the controller', percent(since.controllerCpuMs / since.ms)],
    ['at rest, processor of the adapter', percent(since.adapterCpuMs / since.ms)],
    [`at rest, writes in ${restSeconds} s but to the Lease`, `${total(since.writes)} (${said(since.writes)})`],
    [`at rest, requests to the API server in ${restSeconds} s`, `${total(since.requests)} (${said(since.requests)})`],
    [`at rest, calls to GitHub in ${restSeconds} s`, `${total(since.exchanges)} (${said(since.exchanges)})`],
  ];
  return { rows, since };
}

function usualShare(quiet: Spent, comparing: Spent): string {
  const share = ({ controllerCpuMs, ms }: Spent) => controllerCpuMs / ms;
  return percent(share(quiet) + Math.max(0, share(comparing) - share(quiet)) / OFTEN);
}

/** From sending an edit until the adapter serves it, in milliseconds; one after the other. */
async function timesOfEdits(edits: number, { adapterPort }: Stage, population: Population): Promise<number[]> {
  const generationOf = async (uid: string) => {
    const reply = await fetch(`http://127.0.0.1:${adapterPort}/state?uid=${uid}`);
    return ((await reply.json()) as { routes: { generation: number }[] }).routes[0]?.generation ?? 0;
  };
  const times: number[] = [];
  for (let edit = 0; edit < edits; edit += 1) {
    const name = population.names[Math.floor(Math.random() * population.names.length)] as SourceName;
    const uid = population.uidOf(name);
    const before = await generationOf(uid);
    const began = performance.now();
    await population.edit(name, String(edit));
    const what = () => `the adapter does not serve the edit of ${name.name}`;
    await waitUntil(async () => (await generationOf(uid)) > before, { limitMs: LIMIT_MS.edit, everyMs: 2, what });
    times.push(performance.now() - began);
  }
  return times;
}

/** Ends the controller and starts another, which finds all as it should be. */
async function restart(stage: Stage, sources: number, say: Say): Promise<Row[]> {
  await stage.controller.end();
  const before = await readingOf(stage);
  stage.startController({ HOOK_CHECK_MS: String(HOOK_CHECK_MS) });
  let looks = 0;
  const what = () => `${looks} looks at ${sources} sources`;
  const isSteady = async () => {
    ({ looks } = await countsOf(stage));
    return looks >= sources;
  };
  await waitUntil(isSteady, { limitMs: LIMIT_MS.steady, everyMs: 500, what, say });
  const since = spent(before, await readingOf(stage));
  const hookWrites = [...since.exchanges].filter(([key]) => !key.startsWith('GET'));
  return [
    ['restart, every source looked at', `${seconds(since.ms)} s`],
    ['restart, requests to the API server, a source', each(total(since.requests), sources)],
    ['restart, writes but to the Lease', `${total(since.writes)} (${said(since.writes)})`],
    ['restart, webhooks written', `${total(new Map(hookWrites))}`],
    ['restart, processor, a source', `${each(since.controllerCpuMs, sources)} ms`],
  ];
}
