import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { measureColdStarts } from './cold-start.ts';
import { buildContenders, type Contender, type ContenderName, startContender } from './contenders.ts';
import { prepareDeliveries } from './deliveries.ts';
import { describeMachine } from './machine.ts';
import { type Measurement, measure } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { memoryMb } from './process-figures.ts';
import { loadLine, loadTable, startTable } from './report.ts';
import { LOAD_CPU, RunScope } from './run-scope.ts';
import { type CountingSink, startSink } from './sink.ts';
import { findTools, pinThisProcess } from './tools.ts';

type Say = (text: string) => void;

interface Arena {
  readonly scope: RunScope;
  readonly sink: CountingSink;
  /** The file of prepared requests. */
  readonly requests: string;
  readonly contenders: readonly Contender[];
}

const COLD_STARTS = 9;
const SETTLE_MS = 500;
/** The first 20,000 events cost half as much again: V8 is still compiling, with threads that count too. */
const WARM_UP = { concurrency: 64, seconds: 8 };

/**
 * Measures all contenders in turn; resolves to the problems that make the figures worthless.
 * @throws ConfigurationError when a program it needs is missing.
 */
export async function runBench(options: BenchOptions, path: string, say: Say): Promise<string[]> {
  const tools = findTools(path);
  const machine = describeMachine(tools, new Date());
  say(`${machine}\n`);
  pinThisProcess(tools, LOAD_CPU);
  const scope = new RunScope(tools);
  try {
    await buildContenders(scope);
    const deliveries = await prepareDeliveries();
    const requests = join(scope.folder, 'requests');
    await writeFile(requests, deliveries.requests);
    say(`${deliveries.count} recorded deliveries of ${deliveries.meanBytes.toFixed(0)} bytes on average\n`);
    const sink = await startSink(scope, deliveries);
    const startDeps = { scope, deliveries, sinkPort: sink.port };
    const starting = options.only.filter((name) => name !== 'nginx');
    const coldStarts = await measureColdStarts(starting, COLD_STARTS, startDeps);
    const contenders: Contender[] = [];
    for (const name of options.only) contenders.push((await startContender(name, startDeps)).contender);
    const idleMb = await idleMemory(contenders);
    const measurements = await runRounds(options, { scope, sink, requests, contenders }, say);
    say(`\n${machine}\nMedians of ${options.rounds} rounds of ${options.seconds} s; peak MB is the highest.\n`);
    say(`\n${loadTable(measurements)}\n\n${startTable(coldStarts, idleMb)}\n`);
    return measurements.flatMap((one) => one.problems.map((problem) => `${placeOf(one)}: ${problem}`));
  } finally {
    await scope.stopAll();
    scope.close();
  }
}

async function idleMemory(contenders: readonly Contender[]): Promise<Map<ContenderName, number>> {
  await sleep(SETTLE_MS);
  const idle = new Map<ContenderName, number>();
  for (const { name, pid } of contenders) idle.set(name, (await memoryMb(pid)).now);
  return idle;
}

/** The contenders take turns within each round, so that a disturbance of the machine meets all of them. */
async function runRounds(options: BenchOptions, arena: Arena, say: Say): Promise<Measurement[]> {
  const { rounds, seconds } = options;
  const { contenders, requests } = arena;
  const measurements: Measurement[] = [];
  for (const contender of contenders) await measure(contender, { requests, ...WARM_UP }, 0, arena);
  for (const concurrency of options.concurrency) {
    for (let round = 1; round <= rounds; round += 1) {
      for (const contender of contenders) {
        const one = await measure(contender, { requests, concurrency, seconds }, round, arena);
        measurements.push(one);
        say(`${loadLine(one)}\n`);
        for (const problem of one.problems) say(`  ${problem}\n`);
      }
    }
  }
  return measurements;
}

function placeOf({ name, concurrency, round }: Measurement): string {
  return `${name}, concurrency ${concurrency}, round ${round}`;
}
