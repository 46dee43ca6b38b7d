import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { RealWorld } from './support/real-world.ts';

/** A control plane of its own: it is broken here. */
let plane: ControlPlane;
let cluster: TestCluster;
beforeAll(async () => void ({ plane, cluster } = await startCluster()));
afterAll(() => plane.stop());

let world: RealWorld;
let sink: FakeSink;
beforeEach(async () => {
  world = new RealWorld(cluster);
  sink = await FakeSink.start();
  // A leader that lost the API server for long leaves, as it must; here it is to be seen coming back.
  await world.start({ LEASE_MS: '60000', LEASE_RENEW_DEADLINE_MS: '50000' });
  await world.ready(sink.url('/a'));
});
afterEach(async () => {
  await world.stop();
  await sink.close();
});

async function send(): Promise<number> {
  const { webhookURL } = await world.status();
  const delivery = simulator.deliver({ eventType: 'push', payload: { compare: 'a' } }, 's3cret');
  const reply = await fetch(webhookURL ?? '', {
    method: 'POST',
    headers: delivery.headers,
    body: new Uint8Array(delivery.body),
  });
  return reply.status;
}

describe('while the control plane is away', () => {
  it('deliveries go on, and what changed when it is back is followed: API server', async () => {
    const url = (await world.status()).webhookURL ?? '';
    await plane.kill('kube-apiserver');
    const delivery = simulator.deliver({ eventType: 'push', payload: { compare: 'a' } }, 's3cret');
    const reply = await fetch(url, { method: 'POST', headers: delivery.headers, body: new Uint8Array(delivery.body) });
    expect(reply.status).toBe(202);
    plane.startApiServer();
    await plane.ready();
    await world.apply(world.source({ eventTypes: ['push', 'star'] }));
    await world.broker(sink.url('/after'));
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['push', 'star']), 30_000);
    await world.holds(async () => expect((await world.status()).sinkUri).toBe(sink.url('/after')), 30_000);
    await world.holds(async () => {
      await send();
      expect(sink.received.at(-1)?.path).toBe('/after');
    }, 30_000);
    expect([world.controller.exitCode, world.adapter.exitCode]).toEqual([null, null]);
  });

  it('and etcd', async () => {
    await plane.kill('etcd');
    expect(world.adapter.exitCode).toBeNull();
    plane.startEtcd();
    await plane.ready();
    await world.apply(world.source({ eventTypes: ['issues'] }));
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['issues']), 30_000);
    expect([world.controller.exitCode, world.adapter.exitCode]).toEqual([null, null]);
  });

  it('an adapter started meanwhile is not ready until it has read the routes', async () => {
    await world.adapter.end();
    await plane.kill('kube-apiserver');
    world.startAdapter();
    await expect(postEarly()).resolves.toBe('no answer');
    plane.startApiServer();
    await plane.ready();
    await world.holds(async () => expect(await send()).toBe(202), 30_000);
  });

  /** The adapter does not even listen for deliveries before it knows its routes. */
  async function postEarly(): Promise<string> {
    return fetch(`${world.adapterUrl}/hooks/x`, { method: 'POST' }).then(
      ({ status }) => String(status),
      () => 'no answer',
    );
  }
});
