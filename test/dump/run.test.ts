import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { urlOf } from '../../dump/run.ts';
import { HeadwaterProcess, ON_A_TERMINAL, type StartOptions } from '../support/headwater.ts';
import { type Reply, send } from '../support/post.ts';
import { octetsOf, REQUIRED } from '../support/test-dumper.ts';

interface Dump {
  readonly dump: HeadwaterProcess;
  readonly post: (headers: Readonly<Record<string, string>>, body?: string) => Promise<Reply>;
}

async function startDump(args: readonly string[] = [], options: StartOptions = {}): Promise<Dump> {
  const dump = HeadwaterProcess.start(['dump', '--port', '0', ...args], options);
  const [, url = ''] = await dump.waitFor(
    /^headwater dump: waiting for CloudEvents at (http:\/\/127\.0\.0\.1:\d+\/)\n/,
  );
  return { dump, post: (headers, body = '') => send(url, { headers, body: Buffer.from(body) }) };
}

const event = { ...REQUIRED, 'content-type': 'application/json', 'ce-label': octetsOf('ü €uro\x9b%1B[2J') };
const data = `[${'1.0,'.repeat(20)}1.0]`;

describe('headwater dump', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`prints lines of JSON and nothing else to a pipe, and ends with 0 on ${signal}`, async () => {
      const { dump, post } = await startDump();
      expect(await post(event, data)).toMatchObject({ status: 202 });
      expect(await post(REQUIRED)).toMatchObject({ status: 202 });
      const { code, stdout } = await dump.signal(signal);
      expect(code).toBe(0);
      const lines = stdout.trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
        { type: 'a.b', label: 'ü €uro\x9b%1B[2J', headwater: { percentDecoded: { label: 'ü €uro\x9b\x1b[2J' } } },
        { type: 'a.b' },
      ]);
      expect(lines[0]).toContain(`"data":${data}}`);
    });
  }

  const forms = [
    { name: 'the readable form with --output pretty', args: ['--output', 'pretty'], start: '☁  a.b\n' },
    {
      name: 'the readable form, with colours, on a terminal',
      nodeOptions: ON_A_TERMINAL,
      start: '\x1b[36m☁\x1b[39m  ',
    },
    {
      name: 'the readable form without colours where NO_COLOR is set',
      nodeOptions: ON_A_TERMINAL,
      env: { NO_COLOR: '1' },
      start: '☁  a.b\n',
    },
    {
      name: 'JSON on a terminal with --output json',
      args: ['--output', 'json'],
      nodeOptions: ON_A_TERMINAL,
      start: '{"',
    },
  ];
  for (const { name, args, start, ...options } of forms) {
    it(`prints ${name}`, async () => {
      const { dump, post } = await startDump(args, options);
      await post(event, data);
      const { code, stdout } = await dump.signal('SIGTERM');
      expect(code).toBe(0);
      expect(stdout.startsWith(start)).toBe(true);
      expect(stdout).toContain('ü €uro\\u009b');
    });
  }

  for (const { args, lines } of [
    { args: [], lines: 8 },
    { args: ['--full'], lines: 23 },
  ]) {
    it(`prints ${lines} lines of data with ${args.join(' ') || 'no option'}`, async () => {
      const { dump, post } = await startDump(['--output', 'pretty', ...args]);
      await post(event, data);
      const { stdout } = await dump.signal('SIGTERM');
      expect(stdout.match(/^ {5}[ [\]]/gm)).toHaveLength(lines);
    });
  }

  it('says on standard error what it refused, and goes on', async () => {
    const { dump, post } = await startDump();
    expect(await post({ ...REQUIRED, 'ce-specversion': '2.0' })).toMatchObject({ status: 400 });
    const document = { 'content-type': 'application/cloudevents+json' };
    expect(await post(document, '\x1b[2J\n')).toMatchObject({ status: 400 });
    expect(await post(event, data)).toMatchObject({ status: 202 });
    const { stdout, stderr } = await dump.signal('SIGTERM');
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    const [, first, second, ...others] = stderr.split('\n');
    expect(first).toBe('refused, not a CloudEvent: its specversion is not 1.0');
    expect(second).toMatch(/^refused, not a CloudEvent: the body is not JSON: .*\\u001b/);
    expect(others).toEqual(['']);
  });

  it('ends in silence when nobody reads on', async () => {
    const { dump, post } = await startDump();
    dump.closeOutput();
    await post(event, data).catch(() => undefined);
    const { code, stderr } = await dump.ended;
    expect(code).toBe(141);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  });

  for (const { host, url } of [
    { host: '127.0.0.1', url: 'http://127.0.0.1:8082/' },
    { host: 'localhost', url: 'http://localhost:8082/' },
    { host: '::1', url: 'http://[::1]:8082/' },
  ]) {
    it(`has the URL ${url} on ${host}`, () => expect(urlOf(host, 8082)).toBe(url));
  }

  it('says that its port is taken', async () => {
    const other = createServer();
    onTestFinished(() => void other.close());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const ended = await HeadwaterProcess.run(['dump', '--port', String(port)]);
    expect(ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `headwater dump: port ${port} is in use: set --port to another\n`,
    });
  });

  it('says that its address is not of this machine', async () => {
    const ended = await HeadwaterProcess.run(['dump', '--port', '0', '--host', '192.0.2.1']);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^headwater dump: listen EADDRNOTAVAIL[^\n]*192\.0\.2\.1[^\n]*\n$/);
  });
});
