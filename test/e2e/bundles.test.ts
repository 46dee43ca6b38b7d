import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildBundles } from '../../scripts/build.ts';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { RealWorld } from './support/real-world.ts';

let folder: string;
let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-dist-'));
  await buildBundles(folder);
  sink = await FakeSink.start();
  world = new RealWorld();
  world.programs = { adapter: join(folder, 'adapter.js'), controller: join(folder, 'controller.js') };
  await world.start();
});
afterAll(async () => {
  await world.stop();
  await sink.close();
  await rm(folder, { recursive: true });
});

it('the bundles do what the sources do: apply to Ready, a delivery, and deletion', async () => {
  const { webhookURL = '' } = await world.ready(sink.url('/bundled'));
  const delivery = simulator.deliver({ eventType: 'push', payload: { compare: 'a' } }, 's3cret');
  const body = new Uint8Array(delivery.body);
  expect((await fetch(webhookURL, { method: 'POST', headers: delivery.headers, body })).status).toBe(202);
  expect(sink.received.map(({ path }) => path)).toEqual(['/bundled']);
  await world.kubectl('delete', 'githubsource', 'hello', '-n', world.namespace, '--timeout=20s');
  expect(world.github.hooks).toEqual([]);
});
