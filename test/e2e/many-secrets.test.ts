import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiClient } from '../../controller/kube/api-client.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { RealWorld } from './support/real-world.ts';

/** A control plane of its own: half a gigabyte is written to it. */
let plane: ControlPlane;
let cluster: TestCluster;
let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  ({ plane, cluster } = await startCluster());
  world = new RealWorld(cluster);
  sink = await FakeSink.start();
  await world.start();
});
afterAll(async () => {
  try {
    await world.stop();
    await sink.close();
  } finally {
    await plane.stop();
  }
});

const COUNT = 5000;
const BYTES = 100_000;
const ALLOWED_MIB = 20;

async function makeSecrets(namespace: string): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  const api = new ApiClient(config);
  const data = { blob: randomBytes((BYTES / 4) * 3).toString('base64') };
  let next = 0;
  const make = async () => {
    while (next < COUNT) {
      next += 1;
      // Half of them are what Helm leaves behind.
      const type = next % 2 === 0 ? 'helm.sh/release.v1' : 'Opaque';
      const metadata = { name: `foreign-${next}` };
      await api.call('POST', `/api/v1/namespaces/${namespace}/secrets`, { body: { metadata, type, data } });
    }
  };
  await Promise.all(Array.from({ length: 16 }, make));
  await api.close();
}

/** The most memory the controller ever had, in MiB. */
async function peakOfController(): Promise<number> {
  const status = await readFile(`/proc/${world.controller.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** A controller started anew, when it has seen every Secret and followed a change of one. */
async function peakAfterStart(round: number): Promise<number> {
  await world.controller.end();
  world.startController();
  const secretToken = `s3cret-${round}`;
  await world.apply(world.secret({ accessToken: 'token', secretToken }));
  await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe(secretToken));
  return peakOfController();
}

const text = (values: number[]) => values.map((value) => value.toFixed()).join(', ');

it('5,000 foreign Secrets of 100 KB cost the controller less than 20 MB', async () => {
  await world.ready(sink.url('/'));
  const without: number[] = [];
  for (let round = 0; round < 3; round += 1) without.push(await peakAfterStart(round));
  await world.kubectl('create', 'namespace', 'foreign');
  await makeSecrets('foreign');
  const withThem: number[] = [];
  for (let round = 3; round < 6; round += 1) withThem.push(await peakAfterStart(round));
  process.stderr.write(`controller's peak without ${text(without)}, with ${text(withThem)} MiB\n`);
  // The least of three: when the collector runs is a matter of chance.
  expect(Math.min(...withThem) - Math.min(...without)).toBeLessThan(ALLOWED_MIB);
}, 400_000);
