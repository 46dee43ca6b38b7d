import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { NamedReplicas } from '../../controller/adapter-replicas.ts';
import { statesOfReady } from '../../controller/adapter-state.ts';
import { createLog } from '../../core/log.ts';
import { aRoute } from '../support/builders.ts';
import { stopAfterwards, stopParts } from '../support/parts.ts';
import { TestAdapter } from '../support/test-adapter.ts';
import { UID, World } from '../support/world.ts';

let world: World;
beforeEach(() => void (world = new World()));
afterEach(async () => {
  await world.end();
  await stopParts();
});

/** So long that nothing but being woken brings a source back. */
const NEVER_AGAIN = { queue: { workers: 1, firstDelayMs: 600_000, longestDelayMs: 600_000, unchangedMs: 600_000 } };

/** One worker takes them in turn: when this one is ready, those that were to be looked at before it were. */
async function another(name: string, uid: string): Promise<void> {
  world.source({}, { name, uid });
  await world.becomes('Ready=True', name);
}

async function startWaiting(): Promise<void> {
  await world.start(NEVER_AGAIN);
  world.secret({ accessToken: 'token', secretToken: 's3cret' });
  world.broker('http://broker.example.com/');
  world.source();
}

describe('a source', () => {
  it('that misses an adapter is looked at when one becomes ready', async () => {
    world.served = null;
    await startWaiting();
    await world.becomes('Ready=False MissingReceiveAdapter');
    world.served = undefined;
    world.adaptersChanged(1);
    await world.becomes('Ready=True');
    expect(world.github.hooks).toHaveLength(1);
  });

  it('that an adapter serves a moment later waits for it, and for no other look', async () => {
    world.served = new Map();
    const states = world.cluster.adapterStates.bind(world.cluster);
    const asked = vi.spyOn(world.cluster, 'adapterStates').mockImplementation((uid) => {
      if (asked.mock.calls.length === 3) world.served = undefined;
      return states(uid);
    });
    await startWaiting();
    await world.becomes('Ready=True');
    expect(asked.mock.calls.length).toBeGreaterThanOrEqual(3);
  });

  it('that waits for a replica to serve it is looked at when that one is gone', async () => {
    world.others = [{ generation: undefined, lastAuthentic: undefined, silent: true }];
    await startWaiting();
    await world.becomes('Ready=Unknown RouteNotServed');
    expect(world.message('Ready')).toBe(
      '1 of 2 adapters do not serve this source as it is now yet; 1 did not answer the controller on the internal port',
    );
    expect(world.github.calls).toEqual([]);
    world.others = [];
    world.adaptersChanged(1);
    await world.becomes('Ready=True');
  });

  it('that is served is left alone when a replica comes, and not when the last one goes', async () => {
    await world.startReady({}, NEVER_AGAIN);
    await another('other', '22222222-2222-4222-8222-222222222222');
    const asked = vi.spyOn(world.cluster, 'adapterStates');
    world.adaptersChanged(2);
    await another('third', '33333333-3333-4333-8333-333333333333');
    expect(asked.mock.calls.map(([uid]) => uid)).not.toContain(UID);
    world.served = null;
    world.adaptersChanged(0);
    await world.becomes('Ready=False MissingReceiveAdapter');
  });

  it('is looked at again when the adapters change while it is worked on', async () => {
    world.served = null;
    const states = world.cluster.adapterStates.bind(world.cluster);
    const reading = vi.spyOn(world.cluster, 'adapterStates').mockImplementationOnce(async (uid) => {
      const found = await states(uid);
      world.served = undefined;
      world.adaptersChanged(1);
      return found;
    });
    await startWaiting();
    await world.becomes('Ready=True');
    expect(reading.mock.calls.length).toBeGreaterThan(1);
  });
});

describe('the state of replicas', () => {
  it('of which one does not answer: not serving where the cluster says it is ready, else not there', async () => {
    const adapter = await TestAdapter.start([aRoute({ uid: UID, generation: 7 })]);
    stopAfterwards(() => adapter.stop());
    const gone = await TestAdapter.start([]);
    const urls = [adapter.internalUrl, gone.internalUrl];
    await gone.stop();
    const serving = { generation: 7, lastAuthentic: undefined };
    expect(await statesOfReady(urls, UID)).toEqual([
      serving,
      { generation: undefined, lastAuthentic: undefined, silent: true },
    ]);
    const named = new NamedReplicas(urls, { onChange: () => undefined, log: createLog('silent').log });
    expect(await named.statesOf(UID)).toEqual([serving]);
  });
});
