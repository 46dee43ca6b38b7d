import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HeadwaterProcess, headwater } from '../support/headwater.ts';

const SAMPLES = join(import.meta.dirname, '../../config/samples');
let cwd: string;
beforeEach(async () => void (cwd = await mkdtemp(join(tmpdir(), 'headwater-dev-'))));
afterEach(() => rm(cwd, { recursive: true, force: true }));

/** The sample with something else in it, in the folder the command runs in. */
async function sampleWith(from: string, to: string): Promise<string> {
  const text = await readFile(join(SAMPLES, 'githubsource.yaml'), 'utf8');
  expect(text).toContain(from);
  await writeFile(join(cwd, 'sample.yaml'), text.replace(from, to));
  return 'sample.yaml';
}

const run = (...args: string[]) => HeadwaterProcess.run(['dev', '--simulate', '--once', ...args], { cwd });

describe('headwater dev --simulate --once', () => {
  it('over the samples: the source is ready, and ping and five deliveries are dumped', async () => {
    const { code, stdout, stderr } = await run('-f', SAMPLES);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('GitHubSource default/hello-world  Ready=True\n');
    const events = [...stdout.matchAll(/^☁ dev\.knative\.source\.github\.(\w+) /gm)].map(([, name]) => name);
    expect(events.toSorted()).toEqual(['issue_comment', 'issues', 'ping', 'pull_request', 'push', 'workflow_run']);
    expect(stdout).toMatch(
      /^NAMESPACE +NAME +READY +REASON +URL +SINK +AGE\ndefault +hello-world +True +http:\/\/127\.0\.0\.1:\d+\/hooks\/\S+ +http:\/\/127\.0\.0\.1:\d+\/default\/default +\d+s$/m,
    );
    expect(stdout).toMatch(
      /^Broker default\/default +dev\.knative\.source\.github\.push +https:\S+ +1 +Trigger default\/\S+$/m,
    );
    expect(stdout).toMatch(/1 source is ready; 6 deliveries reached the dumper byte for byte \(SHA-256\)\n$/);
  });

  it.each(['channel', 'service'])('over the samples in %s/, which count on the dumper being there', async (folder) => {
    const { code, stdout, stderr } = await run('-f', join(SAMPLES, folder));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/1 source is ready; 3 deliveries reached the dumper byte for byte \(SHA-256\)\n$/);
  });

  it('--output json: every line is an object', async () => {
    const { code, stdout } = await run('-f', SAMPLES, '--output', 'json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });
    expect(code).toBe(0);
    expect(new Set(lines.map(({ type }) => type)).size).toBeGreaterThan(8);
  });

  const unfinished: { name: string; from?: string; to?: string; args?: string[]; missing: RegExp }[] = [
    {
      name: 'a Trigger for another type',
      from: '  broker: default\n  subscriber:',
      to: '  broker: default\n  filter: { attributes: { type: nope } }\n  subscriber:',
      missing: /: ping \(.*answered 202 kept\) was not received by the dumper\n.*: push /,
    },
    {
      name: 'a Secret without the key secretToken',
      from: '  secretToken: replace',
      to: '  other: replace',
      missing:
        /is not ready: SecretTokenNotFound: key "secretToken" not found in secret "github".*\n.*no ping was sent/,
    },
    {
      name: 'an access token that is refused',
      from: 'replace-with-a-personal-access-token',
      to: 'expired',
      missing: /is not ready: CreationFailed: .*401 Bad credentials/,
    },
    {
      name: 'another secret',
      args: ['--simulate-secret', 'other'],
      missing: /: push \(.*answered 401 .*\) was not received by the dumper/,
    },
    {
      name: 'an API that fails',
      args: ['--simulate-fault', 'POST=500'],
      missing: /is not ready: CreationFailed: .*500/,
    },
    { name: 'no source at all', from: 'kind: GitHubSource', to: 'kind: GitHubSources', missing: /there is no source/ },
  ];
  for (const { name, from, to = '', args = [], missing } of unfinished) {
    it(`${name}: ends with 1 and says what is missing`, async () => {
      const file = from === undefined ? SAMPLES : await sampleWith(from, to);
      const { code, stderr } = await run('-f', file, '--timeout', '2', ...args);
      expect(code).toBe(1);
      expect(stderr).toMatch(missing);
    });
  }

  it('a file with faults beside a good one: ends with 1, and names it', async () => {
    const file = await sampleWith('  eventTypes:', '  evntTypes:');
    const { code, stderr } = await run('-f', file, '-f', join(SAMPLES, 'githubsource.yaml'), '--timeout', '3');
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'headwater dev: sample.yaml has faults\n' });
  });

  it('names file, line and what to change of a broken manifest', async () => {
    const file = await sampleWith('  eventTypes:', '  evntTypes:');
    const { code, stdout } = await run('-f', file, '--timeout', '0.5');
    expect(code).toBe(1);
    expect(stdout).toContain('sample.yaml:18: unknown field spec.evntTypes; did you mean eventTypes?\n');
    expect(stdout).toContain('sample.yaml:16: spec.eventTypes is missing\n');
  });
});

describe('headwater dev', () => {
  const wrong: { args: string[]; message: string }[] = [
    { args: [], message: 'name manifests: -f PATH' },
    { args: ['-f', 'x', '--simulate-fault', 'POST=500'], message: '--simulate-fault is for --simulate' },
    { args: ['-f', 'x', '--simulate', '--simulate-fault', '500'], message: '--simulate-fault must be METHOD=STATUS' },
    { args: ['-f', 'x', '--simulate', '--simulate-fault', 'PUT=500'], message: 'METHOD is GET, POST, PATCH or DELETE' },
    { args: ['-f', 'x', '--public-url', 'hello'], message: '--public-url must be an http or https URL' },
    { args: ['-f', 'x', '--port', 'http'], message: '--port must be a port number' },
    { args: ['-f', 'x', '--timeout', 'long'], message: '--timeout must be a number of seconds' },
    { args: ['-f', 'x', '--output', 'yaml'], message: '--output must be text or json' },
  ];
  for (const { args, message } of wrong) {
    it(`${args.join(' ')}: ${message}`, async () => {
      const { code, stderr } = await headwater('dev', ...args);
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
    });
  }

  it('a path that is not there: it is named, and nothing begins', async () => {
    const ended = await HeadwaterProcess.run(['dev', '--simulate', '-f', 'nowhere'], { cwd });
    expect(ended).toEqual({ code: 1, stdout: '', stderr: 'headwater dev: nowhere: no such file or folder\n' });
    expect(await readdir(cwd)).toEqual([]);
  });
});
