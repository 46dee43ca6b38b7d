import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { HeadwaterProcess, headwater } from '../support/headwater.ts';

/** The walk of docs/workflows.md, as a new user would do it. */
let page: string;
let folder: string;
beforeAll(async () => {
  page = await readFile(join(import.meta.dirname, '../../docs/workflows.md'), 'utf8');
  folder = await mkdtemp(join(tmpdir(), 'headwater-walk-'));
  for (const [, text = '', name = ''] of page.matchAll(
    /^```(?:yaml|js)\n((?:#|\/\/) ([a-z]+\.(?:yaml|js))\n[\s\S]*?)^```$/gm,
  ))
    await writeFile(join(folder, name), text.slice(text.indexOf('\n') + 1));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('plans what the page shows', async () => {
  const { code, stdout, stderr } = await headwater('wire', 'plan', '-f', folder);
  expect({ code, stderr, objects: stdout.split('---\n').length }).toEqual({ code: 0, stderr: '', objects: 5 });
  const [, shown = ''] = /^```yaml\n(# greet\.yaml:4 [\s\S]*?)^```$/m.exec(page) ?? [];
  expect(shown.split('---\n')).toHaveLength(2);
  for (const object of shown.split('---\n')) expect(stdout).toContain(object);
});

it('runs on a laptop, and an issue that is opened starts the workflow', async () => {
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
  const dev = HeadwaterProcess.start(['dev', '-f', '.', ...options], { cwd: folder });
  const says = (text: RegExp) => vi.waitFor(() => expect(dev.stdout).toMatch(text), { timeout: 15_000, interval: 50 });
  await says(/^GitHubSource demo\/octo-hello {2}Ready=True$/m);
  await says(/^Trigger demo\/greet-github-issues {2}Ready=True$/m);
  const [adapter = ''] = /http:\S+/.exec(dev.stdout) ?? [];
  const sent = await HeadwaterProcess.run(['send', '-f', '.', '--adapter', adapter, 'issues.opened'], { cwd: folder });
  expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/^202 kept/) });
  await says(
    /^Deployment demo\/greet \| dev\.knative\.source\.github\.issues opened, issue 1; I send to http:\S+\/demo\/default$/m,
  );
});
