import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Env } from '../../core/env.ts';
import { aRoute } from '../support/builders.ts';
import { aDelivery } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { type Reply, send } from '../support/post.ts';

const MAIN = resolve(import.meta.dirname, '../../adapter/main.ts');

/** The adapter as Kubernetes would run it: a process, configured by its environment, stopped by signals. */
class AdapterProcess {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[] = [];
  error = '';
  readonly exited: Promise<number | null>;

  constructor(env: Env) {
    this.child = spawn(process.execPath, [MAIN], { env: { HOST: '127.0.0.1', PORT: '0', INTERNAL_PORT: '0', ...env } });
    let rest = '';
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) this.lines.push(JSON.parse(part) as Record<string, unknown>);
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.error += text;
    });
    this.exited = once(this.child, 'exit').then(([code]) => code as number | null);
  }

  async ready(): Promise<{ port: number; internalPort: number }> {
    const line = () => this.lines.find(({ msg }) => msg === 'adapter ready');
    await expect.poll(line, { timeout: 10_000 }).toBeDefined();
    return line() as unknown as { port: number; internalPort: number };
  }

  /** The most memory it ever held, in bytes. */
  async peakMemory(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  }
}

let folder: string;
let sink: FakeSink;
let adapter: AdapterProcess;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-routes-'));
  sink = await FakeSink.start();
  await writeFile(join(folder, 'a.json'), JSON.stringify(aRoute({ uid: 'a', sink: { url: sink.url() } })));
});
afterEach(async () => {
  adapter.child.kill('SIGKILL');
  await adapter.exited;
  await sink.close();
  await rm(folder, { recursive: true, force: true });
});

const start = (env: Env = {}) => {
  adapter = new AdapterProcess({ ROUTES_DIR: folder, ALLOW_LOOPBACK_SINKS: 'true', ...env });
  return adapter.ready();
};
const deliver = (port: number): Promise<Reply> => {
  const { headers, body } = aDelivery();
  return send(`http://127.0.0.1:${port}/hooks/a`, { headers: { ...headers }, body });
};

describe('starting', () => {
  it('names every problem of its environment, and ends with 1', async () => {
    adapter = new AdapterProcess({ PORT: 'x', LOG_LEVEL: 'loud' });
    expect(await adapter.exited).toBe(1);
    expect(adapter.error).toMatch(/PORT must be .*LOG_LEVEL must be .*ROUTES_DIR is not set/);
  });

  it('ends with 1 and says so when its port is taken', async () => {
    adapter = new AdapterProcess({ ROUTES_DIR: folder, PORT: String(sink.port) });
    expect(await adapter.exited).toBe(1);
    expect(adapter.lines.at(-1)).toMatchObject({
      level: 'fatal',
      error: `network: port ${sink.port} is in use: set PORT to another`,
    });
  });

  it('ends with 1 and says so when its routes cannot be read', async () => {
    adapter = new AdapterProcess({ ROUTES_DIR: join(folder, 'none') });
    expect(await adapter.exited).toBe(1);
    expect(adapter.lines.at(-1)).toMatchObject({ level: 'fatal', error: expect.stringContaining('ENOENT') });
  });
});

describe('SIGTERM', () => {
  it('reports not ready, serves on while the endpoint is withdrawn, finishes what it holds, ends with 0', async () => {
    const { port, internalPort } = await start({ SHUTDOWN_DELAY_MS: '600' });
    const readiness = async () => (await fetch(`http://127.0.0.1:${internalPort}/readyz`)).status;
    expect(await readiness()).toBe(200);
    expect((await deliver(port)).headers.connection).toBe('keep-alive');
    adapter.child.kill('SIGTERM');
    await expect.poll(readiness, { interval: 10 }).toBe(503);
    // Its clients are told to connect anew, elsewhere, while there is time.
    expect(await deliver(port)).toMatchObject({ status: 202, headers: { connection: 'close' } });
    let release: () => void = () => undefined;
    sink.answer((response) => {
      release = () => void response.writeHead(202).end();
    });
    const held = deliver(port);
    await sink.waitFor(3);
    // The port closes when the delay is over; the delivery is still held by the sink.
    const isOpen = () =>
      new Promise<boolean>((resolveOpen) => {
        const socket = connect(port, '127.0.0.1');
        socket.once('connect', () => resolveOpen(true)).once('error', () => resolveOpen(false));
        socket.once('connect', () => socket.destroy());
      });
    await expect.poll(isOpen, { interval: 20, timeout: 3000 }).toBe(false);
    release();
    // It does not wait for this client to end the connection.
    expect(await held).toMatchObject({ status: 202, headers: { connection: 'close' } });
    expect(await adapter.exited).toBe(0);
    expect(adapter.lines.filter(({ outcome }) => outcome === 'kept')).toHaveLength(3);
  });

  it('a second one ends it at once', async () => {
    await start({ SHUTDOWN_DELAY_MS: '60000' });
    adapter.child.kill('SIGTERM');
    await expect.poll(() => adapter.lines.some(({ msg }) => msg === 'stopping')).toBe(true);
    adapter.child.kill('SIGTERM');
    expect(await adapter.exited).toBe(1);
  });

  it('an interrupt at the terminal does not wait', async () => {
    await start({ SHUTDOWN_DELAY_MS: '60000' });
    adapter.child.kill('SIGINT');
    expect(await adapter.exited).toBe(0);
  });
});

describe('memory', () => {
  it('64 bodies of 300 MB at once, chunked, with well-formed signatures: under 300 MB', {
    timeout: 60_000,
  }, async () => {
    const { port } = await start();
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000, 'x'), Buffer.from('\r\n')]);
    const statuses = await Promise.all(Array.from({ length: 64 }, () => pour(port, chunkedHead(), chunk, 300_000_000)));
    expect(statuses.filter((status) => status !== 413 && status !== 503)).toEqual([]);
    expect(await adapter.peakMemory()).toBeLessThan(300 * 1024 * 1024);
    expect((await deliver(port)).status).toBe(202);
  });

  it('bodies of 25 MB with wrong signatures, from 5 clients at once: under 280 MB', { timeout: 60_000 }, async () => {
    const { port } = await start();
    const headers = { ...aDelivery().headers };
    const body = Buffer.alloc(25_000_000, 'x');
    const statuses: number[] = [];
    const client = async () => {
      for (let sent = 0; sent < 6; sent += 1) {
        statuses.push((await send(`http://127.0.0.1:${port}/hooks/a`, { headers, body })).status);
      }
    };
    await Promise.all(Array.from({ length: 5 }, client));
    expect(statuses.filter((status) => status !== 401 && status !== 503)).toEqual([]);
    expect(await adapter.peakMemory()).toBeLessThan(280 * 1024 * 1024);
    expect((await deliver(port)).status).toBe(202);
  });

  it('bodies of one-byte chunks hold no more than they count', { timeout: 60_000 }, async () => {
    const { port } = await start({ REQUEST_TIMEOUT_MS: '6000' });
    const chunk = Buffer.from('1\r\nx\r\n'.repeat(10_000));
    const statuses = await Promise.all(Array.from({ length: 16 }, () => pour(port, chunkedHead(), chunk, 26_000_000)));
    expect(statuses.filter((status) => ![408, 413, 503].includes(status))).toEqual([]);
    expect(await adapter.peakMemory()).toBeLessThan(350 * 1024 * 1024);
    expect((await deliver(port)).status).toBe(202);
  });
});

function chunkedHead(): string {
  const headers = Object.entries({ ...aDelivery().headers, 'Transfer-Encoding': 'chunked' });
  return `POST /hooks/a HTTP/1.1\r\nHost: x\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** Sends `chunk` again and again, up to `bytes`, until an answer comes; resolves to its status. */
function pour(port: number, head: string, chunk: Buffer, bytes: number): Promise<number> {
  return new Promise((resolveStatus) => {
    let answer = '';
    let sent = 0;
    const socket = connect(port, '127.0.0.1');
    const more = () => {
      while (answer === '' && sent < bytes && !socket.destroyed) {
        sent += chunk.length;
        if (!socket.write(chunk)) return;
      }
    };
    socket.on('drain', more).on('error', () => undefined);
    socket.on('data', (text) => {
      answer += text.toString('latin1');
      socket.end();
    });
    socket.on('close', () => resolveStatus(Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])));
    socket.write(head);
    more();
  });
}
