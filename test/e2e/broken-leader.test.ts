import { afterEach, beforeEach, expect, it } from 'vitest';
import { CutOff } from '../support/cut-off.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { RealWorld } from './support/real-world.ts';

let world: RealWorld;
let sink: FakeSink;
let way: CutOff;
beforeEach(async () => {
  world = new RealWorld();
  sink = await FakeSink.start();
  await world.open();
  way = await CutOff.start(world.cluster.apiUrl);
});
afterEach(async () => {
  way.thaw();
  await world.stop();
  await way.stop();
  await sink.close();
});

const TAKEOVER_MS = 20_000;
const isLeading = ({ log }: { log: string }) => log.includes('"leading"');
const writes = () => world.github.calls.filter((call) => !call.startsWith('GET '));

it('killed between making the webhook and writing it down: there is one webhook', async () => {
  await world.start();
  world.onExchange = ({ method }) => {
    if (method === 'POST') world.controller.signal('SIGKILL');
  };
  await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }), world.source());
  await world.broker(sink.url('/'));
  await world.holds(() => expect(world.controller.isRunning).toBe(false));
  expect(world.github.hooks).toHaveLength(1);
  expect((await world.status()).hooks).toBeUndefined();
  world.onExchange = () => undefined;
  world.startController();
  await world.becomes('Ready=True');
  expect(world.github.hooks).toHaveLength(1);
  expect((await world.status()).webhookIDKey).toBe('4001');
  expect(writes()).toEqual(['POST /repos/octo/hello/hooks', 'PATCH /repos/octo/hello/hooks/4001']);
});

it('cut off by a frozen connection: leaves in time, the other takes over, nothing is written twice', async () => {
  const lease = { LEASE_MS: '6000', LEASE_RENEW_DEADLINE_MS: '4000', LEASE_RETRY_MS: '500' };
  await world.start({ ...lease, KUBECONFIG: await world.kubeconfigOf('headwater-controller', way.url) });
  const first = world.controller;
  await world.ready(sink.url('/a'));
  const direct = await world.kubeconfigOf('headwater-controller');
  const second = world.startController({ KUBECONFIG: direct });
  await world.apply(world.source({ eventTypes: ['star'] }));
  await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['star']));
  way.freeze();
  await world.apply(world.source({ eventTypes: ['fork'] }));
  await world.holds(() => expect(isLeading(second)).toBe(true), TAKEOVER_MS);
  expect(first.exitCode).toBe(1);
  expect(first.log).toContain('lease lost');
  await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['fork']));
  way.thaw();
  await world.becomes('Ready=True');
  const patch = 'PATCH /repos/octo/hello/hooks/4001';
  expect(writes()).toEqual(['POST /repos/octo/hello/hooks', patch, patch]);
});
