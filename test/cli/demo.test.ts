import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { usualPort } from '../../cli/demo.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { HeadwaterProcess } from '../support/headwater.ts';

const FREE_PORTS = ['--port', '0', '--internal-port', '0', '--dump-port', '0'];
const events = ['push', 'issues', 'issue_comment', 'pull_request', 'workflow_run'];

/** The demo's temporary folder is made in here. */
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-demo-test-'));
});
afterEach(async () => {
  const left = await readdir(folder);
  await rm(folder, { recursive: true, force: true });
  expect(left).toEqual([]);
});

const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  HeadwaterProcess.start(['demo', ...args], { env: { TMPDIR: folder, ...env } });

describe('headwater demo', () => {
  it('sends five events, says that all were received, and ends with 0', async () => {
    const { code, stdout, stderr } = await start(['--once', ...FREE_PORTS]).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/\n5 of 5 events were received byte for byte \(SHA-256\)\.\n$/);
    expect(stdout.match(/^→ \w+/gm)).toEqual(events.map((event) => `→ ${event}`));
    expect(stdout.match(/^← .*/gm)).toEqual(events.map(() => '← 202 kept'));
    expect(stdout.match(/^☁ {2}.*/gm)).toEqual(events.map((event) => `☁  dev.knative.source.github.${event}`));
    expect(stdout).not.toContain('\x1b');
  });

  it('prints the first lines of the data, and all with --full', async () => {
    const first = await start(['--once', ...FREE_PORTS]).ended;
    const full = await start(['--once', '--full', ...FREE_PORTS]).ended;
    expect(first.stdout.match(/more lines \(--full shows them\)$/gm)).toHaveLength(5);
    expect(full.stdout).not.toContain('more lines');
    expect(full.stdout.split('\n').length).toBeGreaterThan(first.stdout.split('\n').length + 1000);
  });

  it('names every event that was not received without a dumper, and ends with 1', { timeout: 40_000 }, async () => {
    const { code, stdout, stderr } = await start(['--once', '--no-dumper', ...FREE_PORTS]).ended;
    expect(code).toBe(1);
    expect(stdout).toMatch(/\n0 of 5 events were received byte for byte \(SHA-256\)\.\n$/);
    const ids = Array.from(stdout.matchAll(/^→ (\w+), delivery (\S+)$/gm));
    expect(ids.map(([, event]) => event)).toEqual(events);
    expect(stderr).toBe(ids.map(([, event, id]) => `${event} (delivery ${id}) was not received\n`).join(''));
  });

  const settings = { '--dump-port': '--port', '--port': 'PORT', '--internal-port': 'INTERNAL_PORT' };
  for (const [option, setting] of Object.entries(settings)) {
    it(`says that the port of ${option} is taken, and ends with 1`, async () => {
      const other = await FakeSink.start();
      const { port } = other;
      const ended = await start(['--once', ...FREE_PORTS, option, String(port)]).ended;
      await other.close();
      expect(ended).toEqual({
        code: 1,
        stdout: '',
        stderr: `headwater demo: port ${port} is in use: set ${setting} or ${option} to another\n`,
      });
    });
  }

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`takes more events as its last lines say, until ${signal}`, async () => {
      const demo = start(FREE_PORTS);
      const [, program, send = ''] = await demo.waitFor(
        /another terminal:\n {2}node (\S+) (send issues .*)\nCtrl-C ends\.\n$/,
      );
      expect(program).toMatch(/\/bin\/headwater\.js$/);
      const sent = await HeadwaterProcess.run(send.split(' '));
      expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/^202 kept /) });
      const { code, stdout, stderr } = await demo.signal(signal);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.match(/^☁/gm)).toHaveLength(6);
    });
  }

  it('says how to send more under npm', async () => {
    const demo = start(FREE_PORTS, { npm_package_name: 'headwater' });
    const [, command] = await demo.waitFor(/another terminal:\n {2}(.*)\nCtrl-C ends\.\n$/);
    expect(command).toMatch(/^npm run -s headwater -- send issues --url http:\S+ --secret-file \S+$/);
    expect(await demo.signal('SIGTERM')).toMatchObject({ code: 0 });
  });

  it('can be interrupted while it sends, and then ends with 1', async () => {
    const demo = start(['--no-dumper', ...FREE_PORTS]);
    await demo.waitFor(/^→ push/m);
    const { code, stdout } = await demo.signal('SIGINT');
    expect(code).toBe(1);
    expect(stdout.match(/^→ /gm)).toHaveLength(1);
  });

  it('ends when nobody reads on', async () => {
    const demo = start(FREE_PORTS);
    await demo.waitFor(/^→ push/m);
    demo.closeOutput();
    expect(await demo.ended).toMatchObject({ code: 141, stderr: '' });
  });

  for (const wrong of [['--dump-port', 'x'], ['--quick'], ['here']]) {
    it(`refuses ${wrong.join(' ')}`, async () => {
      const { code, stdout, stderr } = await start(wrong).ended;
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/\nheadwater demo: see headwater demo --help\n$/);
    });
  }
});

describe('ports that are not given', () => {
  it('are free ones where other programs have the usual ones', async () => {
    // One that cannot listen is taken already.
    const servers = [8080, 8082, 8090].map((port) =>
      createServer()
        .on('error', () => undefined)
        .listen(port, '127.0.0.1'),
    );
    const { code, stdout } = await start(['--once']).ended;
    for (const server of servers) server.close();
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/:80[89][02]\//);
  });

  const cases = [
    { name: 'are the usual ones', values: {}, ports: [8080, 8090, 8082] },
    { name: 'are never those of another option', values: { port: '8082', 'dump-port': '8090' }, ports: [8080, 0, 0] },
  ];
  for (const { name, values, ports } of cases) {
    it(name, () => {
      const options = ['port', 'internal-port', 'dump-port'] as const;
      expect(options.map((option) => usualPort(option, values))).toEqual(ports);
    });
  }
});
