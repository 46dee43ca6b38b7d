import { copyFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ExampleRun, exampleFolder } from '../support/example-run.ts';

const EXAMPLE = exampleFolder('github-slack-legacy');
const MANIFESTS = ['broker.yaml', 'forge.yaml', 'tickets.yaml', 'chat.yaml'];

let cwd: string;
let folder: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'headwater-example-'));
  folder = join(cwd, 'example');
  await cp(EXAMPLE, folder, { recursive: true });
  await symlink(join(import.meta.dirname, '../../node_modules'), join(cwd, 'node_modules'));
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

async function openIssue(run: ExampleRun, title: string): Promise<void> {
  const file = join(cwd, 'issues.opened.json');
  const html_url = `https://github.com/Codertocat/Hello-World/issues/${title}`;
  await writeFile(file, JSON.stringify({ action: 'opened', issue: { title, html_url, user: { login: 'ada' } } }));
  await run.send(file);
}

const replace = (name: string) => copyFile(join(folder, 'replacements', name), join(folder, name));

const startsOf = (run: ExampleRun) => run.output().filter((line) => line.includes(' | listens at '));

/** An adapter is started again when the address of its system is known: each is named once. */
const startedSince = (before: readonly string[], run: ExampleRun) => [
  ...new Set(
    startsOf(run)
      .slice(before.length)
      .map((line) => line.split(' | ')[0]),
  ),
];

const changed = async () => {
  const same = async (name: string) =>
    (await readFile(join(folder, name), 'utf8')) === (await readFile(join(EXAMPLE, name), 'utf8'));
  const found = await Promise.all(MANIFESTS.map(async (name) => ((await same(name)) ? [] : [name])));
  return found.flat();
};

it('each system is replaced while it runs, and the others neither changed nor started anew', async () => {
  const run = ExampleRun.start([folder], cwd);
  for (const trigger of ['forge', 'tickets', 'chat'])
    await run.sees(new RegExp(`^Trigger default/${trigger} {2}Ready=True$`, 'm'));
  await openIssue(run, 'first');
  await run.sees(/^Service default\/legacy \| ticket 4711: first$/m);
  await run.sees(/^Service default\/chat \| #development: ada opened "first" \(https:\S+\/first\)$/m);
  await run.sees(/^Service default\/chat \| #development: ticket 4711 is for "first"$/m);

  const first = startsOf(run);
  await replace('chat.yaml');
  await run.sees(/^Service default\/rooms-adapter {2}Ready=True$/m);
  await openIssue(run, 'second');
  await run.sees(/^Service default\/rooms \| dev: ada opened "second" /m);
  await run.sees(/^Service default\/rooms \| dev: ticket 4712 is for "second"$/m);
  await openIssue(run, 'second');
  await run.sees(/(ticket 4712 is for "second"\n[\s\S]*){2}/);
  expect(await changed()).toEqual(['chat.yaml']);
  expect(startedSince(first, run)).toEqual(['Service default/rooms-adapter']);

  const second = startsOf(run);
  await replace('tickets.yaml');
  await run.sees(/^Service default\/cases-adapter {2}Ready=True$/m);
  await openIssue(run, 'third');
  await run.sees(/^Service default\/cases \| case [0-9a-f]{8}: third$/m);
  await run.sees(/^Service default\/rooms \| dev: ticket [0-9a-f]{8} is for "third"$/m);
  expect(await changed()).toEqual(['tickets.yaml', 'chat.yaml']);
  expect(startedSince(second, run)).toEqual(['Service default/cases-adapter']);

  const third = startsOf(run);
  await replace('forge.yaml');
  const [, form] = await run.sees(/^Deployment default\/web-form \| listens at (http:\S+)$/m);
  const body = new URLSearchParams({ title: 'fourth', by: 'bo' });
  expect((await fetch(`${form}/reports`, { method: 'POST', body })).status).toBe(202);
  await run.sees(/^Service default\/rooms \| dev: bo opened "fourth" \(https:\/\/example\.com\/reports\/\S+\)$/m);
  await run.sees(/^Service default\/rooms \| dev: ticket [0-9a-f]{8} is for "fourth"$/m);
  expect(await changed()).toEqual(['forge.yaml', 'tickets.yaml', 'chat.yaml']);
  expect(startedSince(third, run)).toEqual(['Deployment default/web-form']);
  await run.end();

  const heard = (name: string) => run.output().filter((line) => line.startsWith(`Service default/${name} | `));
  expect([heard('legacy'), heard('cases').length]).toEqual([
    ['Service default/legacy | ticket 4711: first', 'Service default/legacy | ticket 4712: second'],
    2,
  ]);
}, 60_000);
