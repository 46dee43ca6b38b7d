import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HeadwaterProcess } from '../support/headwater.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/github-message-dumper');
let cwd: string;
beforeEach(async () => void (cwd = await mkdtemp(join(tmpdir(), 'headwater-example-'))));
afterEach(() => rm(cwd, { recursive: true, force: true }));

it('a pull request is printed by the Knative Service, and everything ends at the end', async () => {
  const dev = HeadwaterProcess.start(['dev', '-f', EXAMPLE, '--simulate', '--run'], { cwd });
  const dumped = (type: string) => new RegExp(`^Service default/github-message-dumper \\| .*${type}`, 'm');
  await dev.waitFor(dumped('dev\\.knative\\.source\\.github\\.ping'));
  await dev.waitFor(dumped('dev\\.knative\\.source\\.github\\.pull_request'));
  await dev.waitFor(dumped('"html_url": "https://github\\.com/Codertocat/Hello-World/pull/2"'));
  await dev.waitFor(/^GitHubSource default\/githubsourcesample {2}Ready=True$/m);
  await dev.waitFor(/^→ pull_request .* 202 kept$/m);
  const { code, stdout, stderr } = await dev.signal('SIGINT');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).not.toMatch(/ (lost|given up)/);
  expect(stdout).not.toContain('skipped');
});
