import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HeadwaterProcess } from '../support/headwater.ts';
import { aSink, stopParts } from '../support/parts.ts';

const SAMPLES = join(import.meta.dirname, '../../config/samples');
let cwd: string;
beforeEach(async () => void (cwd = await mkdtemp(join(tmpdir(), 'headwater-send-'))));
afterEach(async () => {
  await stopParts();
  await rm(cwd, { recursive: true, force: true });
});

const send = (...args: string[]) => HeadwaterProcess.run(['send', ...args], { cwd });

/** A source without token: its user makes the webhook. */
const manifest = (name: string, secretKey = 'secretToken') => `
apiVersion: sources.knative.dev/v1alpha1
kind: GitHubSource
metadata: { name: ${name}, namespace: demo, uid: uid-of-${name} }
spec:
  ownerAndRepository: octo/hello
  eventTypes: [push]
  secretToken: { secretKeyRef: { name: github, key: ${secretKey} } }
  sink: { uri: http://127.0.0.1:1/ }
---
apiVersion: v1
kind: Secret
metadata: { name: github, namespace: demo }
stringData: { secretToken: s3cret, broken: "s3cret\\n" }
`;

describe('headwater send -f', () => {
  it('takes path and secret from the manifests that headwater dev was given', async () => {
    const dev = HeadwaterProcess.start(['dev', '-f', SAMPLES, '--simulate', '--port', '0'], { cwd });
    const [, adapter] = await dev.waitFor(/^adapter +(\S+)$/m);
    await dev.waitFor(/workflow_run .*202 kept/);
    const { code, stdout } = await send('star', '-f', SAMPLES, '--adapter', adapter ?? '', '--id', 'by-hand');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: '202 filtered: this source does not ask for this event (delivery by-hand)\n',
    });
    expect(await send('push', '-f', SAMPLES, '--adapter', `${adapter}/`)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('202 kept'),
    });
    await dev.waitFor(/^☁ dev\.knative\.source\.github\.push .*\n[^☁]*(.*\n)*☁ dev\.knative\.source\.github\.push /m);
  });

  it('asks which source is meant', async () => {
    await writeFile(join(cwd, 'a.yaml'), manifest('a'));
    await writeFile(join(cwd, 'b.yaml'), manifest('b').split('---')[0] ?? '');
    const { code, stderr } = await send('push', '-f', 'a.yaml', '-f', 'b.yaml');
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'headwater send: name one with --source: demo/a, demo/b\n' });
    const named = await send(
      'push',
      '-f',
      'a.yaml',
      '-f',
      'b.yaml',
      '--source',
      'demo/b',
      '--adapter',
      'http://127.0.0.1:1',
    );
    expect(named.stderr).toMatch(/^headwater send: fetch failed/);
  });

  it('a source is named without its namespace where that is enough', async () => {
    const other = manifest('a').replaceAll('namespace: demo', 'namespace: other').replace('uid-of-a', 'another-uid');
    await writeFile(join(cwd, 'all.yaml'), [manifest('a'), manifest('b').split('---')[0], other].join('\n---\n'));
    const sink = await aSink(202);
    const to = ['push', '-f', 'all.yaml', '--adapter', sink.url(), '--source'];
    expect(await send(...to, 'b')).toMatchObject({ code: 0, stderr: '' });
    expect(sink.received.map(({ path }) => path)).toEqual(['/hooks/uid-of-b']);
    const { code, stderr } = await send(...to, 'a');
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'headwater send: name one with --source: demo/a, other/a\n' });
  });

  it('nobody there: it asks for headwater dev', async () => {
    await writeFile(join(cwd, 'a.yaml'), manifest('a'));
    const sink = await aSink();
    const url = sink.url();
    await sink.close();
    const { code, stderr } = await send('push', '-f', 'a.yaml', '--adapter', url);
    expect(code).toBe(1);
    expect(stderr).toMatch(/ECONNREFUSED.*; is headwater dev running\? else name it with --adapter\n$/);
  });

  it('in a folder where headwater dev never ran: that is said, and no key is made', async () => {
    await writeFile(join(cwd, 'a.yaml'), manifest('a').replace(', uid: uid-of-a', ''));
    const { code, stderr } = await send('push', '-f', 'a.yaml');
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^headwater send: there is no \.headwater\/ here, .*the folder headwater dev runs in\n$/,
      ),
    });
    expect(await readdir(cwd)).toEqual(['a.yaml']);
  });

  const refusals: { name: string; text: string; args?: string[]; says: string }[] = [
    {
      name: 'a source that is not there',
      text: manifest('a'),
      args: ['--source', 'demo/x'],
      says: 'there is no source demo/x; there are: demo/a',
    },
    { name: 'no source', text: '', says: 'there is no source in the manifests' },
    { name: 'no such key', text: manifest('a', 'nope'), says: 'key "nope" not found in secret "github"' },
    { name: 'a secret with a line break', text: manifest('a', 'broken'), says: 'holds a line break' },
    {
      name: 'a broken manifest',
      text: manifest('a').replace('eventTypes', 'events'),
      says: 'manifest.yaml:7: unknown field spec.events',
    },
    {
      name: '--url beside it',
      text: manifest('a'),
      args: ['--url', 'http://127.0.0.1:1'],
      says: 'with -f, --url and --secret-file are not given',
    },
    {
      name: 'an adapter that is none',
      text: manifest('a'),
      args: ['--adapter', 'here'],
      says: '--adapter must be an http or https URL',
    },
  ];
  for (const { name, text, args = [], says } of refusals) {
    it(`${name}: ${says}`, async () => {
      await writeFile(join(cwd, 'manifest.yaml'), text);
      const { code, stderr } = await send('push', '-f', 'manifest.yaml', ...args);
      expect(code).toBeGreaterThan(0);
      expect(stderr).toContain(says);
    });
  }
});
