import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { NamedReplicas, ReadyReplicas } from '../../controller/adapter-replicas.ts';
import { createLog } from '../../core/log.ts';

const toStop: { stop(): unknown }[] = [];
afterEach(async () => {
  for (const one of toStop.splice(0)) await one.stop();
});

/** The internal port of a replica that serves generation 7 of every route. */
class FakeReplica {
  /** What is asked of it. */
  readonly asked: string[][] = [];
  /** Whether requests are answered; else they wait for ever. */
  answers = true;
  isReady = true;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const uids = new URL(request.url ?? '', 'http://x').searchParams.getAll('uid').filter(Boolean);
      this.asked.push(uids);
      const routes = uids.map((uid) => ({ uid, generation: 7, lastAuthentic: null }));
      if (this.answers) response.end(JSON.stringify({ ready: this.isReady, routes }));
    });
  }

  static async start(): Promise<FakeReplica> {
    const replica = new FakeReplica();
    toStop.push(replica);
    replica.#server.listen(0, '127.0.0.1');
    await once(replica.#server, 'listening');
    return replica;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function readyReplicas(...replicas: FakeReplica[]) {
  const told: number[] = [];
  const ready = new ReadyReplicas((count) => void told.push(count));
  toStop.push(ready);
  ready.become(replicas.map(({ url }) => url));
  ready.start();
  return { ready, told };
}

const SERVING = { generation: 7, lastAuthentic: undefined };
const SILENT = { generation: undefined, lastAuthentic: undefined, silent: true };

/** As workers do: so many sources, 32 at a time. */
async function lookAtAll(sources: number, statesOf: (uid: string) => Promise<unknown>): Promise<unknown[]> {
  const found: unknown[] = [];
  const uids = Array.from({ length: sources }, (_, index) => `uid-${index}`).values();
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      for (const uid of uids) found.push(await statesOf(uid));
    }),
  );
  return found;
}

describe('replicas that are ready, asked for many sources', () => {
  it('get few requests, one at a time, and each source its answer', async () => {
    const replica = await FakeReplica.start();
    const { ready } = readyReplicas(replica);
    expect(await lookAtAll(960, (uid) => ready.statesOf(uid))).toEqual(Array.from({ length: 960 }, () => [SERVING]));
    expect(replica.asked.flat().toSorted()).toEqual(
      Array.from({ length: 960 }, (_, index) => `uid-${index}`).toSorted(),
    );
    // 32 at a time are 30 requests; a few come alone.
    expect(replica.asked.length).toBeLessThan(120);
  });

  it('are asked after the question, not before: an answer is never older', async () => {
    const replica = await FakeReplica.start();
    const { ready } = readyReplicas(replica);
    const first = ready.statesOf('a');
    await vi.waitFor(() => expect(replica.asked).toEqual([['a']]));
    const later = [ready.statesOf('a'), ready.statesOf('b')];
    await Promise.all([first, ...later]);
    expect(replica.asked).toEqual([['a'], ['a', 'b']]);
  });

  it('cost thousands of sources no more than a few seconds when one of them is silent', async () => {
    const [replica, silent] = [await FakeReplica.start(), await FakeReplica.start()];
    silent.answers = false;
    const { ready, told } = readyReplicas(replica, silent);
    const began = performance.now();
    const found = await lookAtAll(2000, (uid) => ready.statesOf(uid));
    // 2,000 looks by 32 workers, 3 s each, would be 190 s.
    expect(performance.now() - began).toBeLessThan(9000);
    expect(found).toEqual(Array.from({ length: 2000 }, () => [SERVING, SILENT]));
    expect(told).toEqual([2]);
    silent.answers = true;
    await vi.waitFor(() => expect(told).toEqual([2, 2]), { timeout: 10_000 });
    expect(await ready.statesOf('a')).toEqual([SERVING, SERVING]);
  }, 30_000);
});

describe('replicas that the configuration names', () => {
  async function named(...replicas: FakeReplica[]) {
    const told: number[] = [];
    const urls = replicas.map(({ url }) => url);
    const all = new NamedReplicas(urls, { onChange: (count) => void told.push(count), log: createLog('silent').log });
    toStop.push(all);
    all.start();
    await vi.waitFor(() => expect(told).toEqual([replicas.length]));
    return { all, told };
  }
  const soon = (check: () => void) => vi.waitFor(check, { timeout: 10_000 });

  it('are told of when one goes and when it comes back', async () => {
    const [first, second] = [await FakeReplica.start(), await FakeReplica.start()];
    const { all, told } = await named(first, second);
    second.isReady = false;
    await soon(() => expect(told).toEqual([2, 1]));
    expect(await all.statesOf('a')).toEqual([SERVING]);
    second.isReady = true;
    await soon(() => expect(told).toEqual([2, 1, 2]));
    expect(await all.statesOf('a')).toEqual([SERVING, SERVING]);
  });

  it('that are silent are not there, also for those who wait already', async () => {
    const replica = await FakeReplica.start();
    const { all, told } = await named(replica);
    replica.answers = false;
    await soon(() => expect(told).toEqual([1, 0]));
    expect(await lookAtAll(100, (uid) => all.statesOf(uid))).toEqual(Array.from({ length: 100 }, () => []));
    await replica.stop();
  }, 20_000);
});
