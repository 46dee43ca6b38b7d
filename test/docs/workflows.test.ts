import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { HeadwaterProcess, headwater } from '../support/headwater.ts';

/** The walk of docs/workflows.md, as a new user would do it. */
let page: string;
let folder: string;
beforeAll(async () => {
  page = await readFile(join(import.meta.dirname, '../../docs/workflows.md'), 'utf8');
  folder = await mkdtemp(join(tmpdir(), 'headwater-walk-'));
  for (const [, name = '', text = ''] of page.matchAll(
    /`([a-z]+\.(?:yaml|mjs))`:\n\n```(?:yaml|js)\n([\s\S]*?)^```$/gm,
  ))
    await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const options = [
  '--simulate',
  '--run',
  '--port',
  '0',
  '--broker-port',
  '0',
  '--dump-port',
  '0',
  '--simulator-port',
  '0',
];

/** `headwater dev` in the folder, and what it says. */
function startDev(...more: string[]) {
  const dev = HeadwaterProcess.start(['dev', '-f', '.', ...options, ...more], { cwd: folder });
  const says = (text: RegExp) => vi.waitFor(() => expect(dev.stdout).toMatch(text), { timeout: 15_000, interval: 50 });
  const send = (event: string) => {
    const [adapter = ''] = /http:[^\s"]+/.exec(dev.stdout) ?? [];
    return HeadwaterProcess.run(['send', '-f', '.', '--adapter', adapter, event], { cwd: folder });
  };
  return { dev, says, send };
}

it('plans what the page shows', async () => {
  const { code, stdout, stderr } = await headwater('wire', 'plan', '-f', folder);
  expect({ code, stderr, objects: stdout.split('---\n').length }).toEqual({ code: 0, stderr: '', objects: 5 });
  const [, shown = ''] = /^```yaml\n(# greet\.yaml:4 [\s\S]*?)^```$/m.exec(page) ?? [];
  expect(shown.split('---\n')).toHaveLength(2);
  for (const object of shown.split('---\n')) expect(stdout).toContain(object);
});

it('finds the misspelled type that the page has', async () => {
  const copy = join(folder, 'misspelled');
  await mkdir(copy);
  for (const name of ['greet.yaml', 'wire.yaml', 'engine.yaml']) {
    const text = await readFile(join(folder, name), 'utf8');
    await writeFile(join(copy, name), text.replace('github.issues\n', 'github.isues\n'));
  }
  const [, shown] = /\$ headwater wire check -f \.\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const checked = await HeadwaterProcess.run(['wire', 'check', '-f', '.'], { cwd: copy });
  expect(checked).toEqual({ code: 1, stdout: shown, stderr: '' });
});

it('runs on a laptop, and an issue that is opened starts the workflow', async () => {
  const { says, send } = startDev();
  await says(/^GitHubSource demo\/octo-hello {2}Ready=True$/m);
  await says(/^Trigger demo\/greet-github-issues {2}Ready=True$/m);
  expect(await send('issues.opened')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^202 kept/) });
  await says(
    /^Deployment demo\/greet \| dev\.knative\.source\.github\.issues opened, issue 1; I send to http:\S+\/demo\/default$/m,
  );
});

it('explains an event that was sent as the page does', async () => {
  const { dev, says, send } = startDev('--output', 'json');
  await says(/"GitHubSource demo\/octo-hello".*"type":"Ready","status":"True"/);
  expect(await send('issues.edited')).toMatchObject({ code: 0 });
  await says(/^{"specversion".*"action":"edited"/m);
  const event = dev.stdout.split('\n').findLast((line) => line.startsWith('{"specversion"')) ?? '';
  const file = join(folder, 'event.log');
  await writeFile(file, event);
  const [, shown] = /\| headwater wire explain - -f wire\.yaml\n([\s\S]*?)^```$/m.exec(page) ?? [];
  const explained = await HeadwaterProcess.run(['wire', 'explain', file, '-f', 'wire.yaml'], { cwd: folder });
  expect(explained).toEqual({ code: 1, stdout: shown, stderr: '' });
});

it('is walked with the script of a checkout, too', async () => {
  const npm = ['--prefix', join(import.meta.dirname, '../..'), 'run', '-s', 'headwater', '--'];
  const { stdout } = await promisify(execFile)('npm', [...npm, 'wire', 'plan', '-f', 'wire.yaml'], { cwd: folder });
  expect(stdout).toBe((await headwater('wire', 'plan', '-f', folder)).stdout);
});
