import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { type Part, RealWorld } from './support/real-world.ts';

/** A control plane of its own: it is broken here. */
let plane: ControlPlane;
let cluster: TestCluster;
beforeAll(async () => void ({ plane, cluster } = await startCluster()));
let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  world = new RealWorld(cluster);
  sink = await FakeSink.start();
  // A leader that lost the API server for long leaves, as it must; here it is to be seen coming back.
  await world.start({ LEASE_MS: '60000', LEASE_RENEW_DEADLINE_MS: '50000' });
  await world.ready(sink.url('/a'));
});
afterAll(async () => {
  try {
    await world.stop();
    await sink.close();
  } finally {
    await plane.stop();
  }
});

async function post(url: string): Promise<number> {
  const delivery = simulator.deliver({ eventType: 'push', payload: { compare: 'a' } }, 's3cret');
  const body = new Uint8Array(delivery.body);
  return (await fetch(url, { method: 'POST', headers: delivery.headers, body })).status;
}

/** The port an adapter takes deliveries at; undefined: it is not ready. */
function portOf({ log }: Part): number | undefined {
  const line = log.split('\n').find((one) => one.includes('"adapter ready"'));
  return line === undefined ? undefined : (JSON.parse(line) as { port: number }).port;
}

const failuresOf = ({ log }: Part) => log.split('routes not watched').length - 1;

describe('while the control plane is away', () => {
  it('deliveries go on, a new adapter waits for its routes, and what changed is followed: API server', async () => {
    const url = (await world.status()).webhookURL ?? '';
    await plane.kill('kube-apiserver');
    const { adapter } = world;
    await world.holds(() => expect(failuresOf(adapter)).toBeGreaterThan(1));
    expect(await post(url)).toBe(202);
    expect(sink.received.at(-1)?.path).toBe('/a');
    const started = world.startAdapter({ PORT: '0', INTERNAL_PORT: '0' });
    await world.holds(() => expect(failuresOf(started)).toBeGreaterThan(1));
    expect(portOf(started)).toBeUndefined();
    plane.startApiServer();
    await plane.ready();
    await world.apply(world.source({ eventTypes: ['push', 'star'] }));
    await world.broker(sink.url('/after'));
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['push', 'star']));
    await world.holds(async () => expect((await world.status()).sinkUri).toBe(sink.url('/after')));
    await world.holds(() => expect(portOf(started)).toBeDefined());
    for (const at of [url, `http://127.0.0.1:${portOf(started)}${new URL(url).pathname}`]) {
      const before = sink.received.length;
      await world.holds(async () => {
        expect(await post(at)).toBe(202);
        expect(sink.received.slice(before).at(-1)?.path).toBe('/after');
      });
    }
    expect([world.controller, adapter, started].map(({ exitCode }) => exitCode)).toEqual([null, null, null]);
  });

  it('and etcd', async () => {
    const url = (await world.status()).webhookURL ?? '';
    await plane.kill('etcd');
    expect(await post(url)).toBe(202);
    plane.startEtcd();
    await plane.ready();
    await world.apply(world.source({ eventTypes: ['issues'] }));
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['issues']));
    expect(world.parts.map(({ exitCode }) => exitCode)).toEqual([null, null, null]);
  });
});
