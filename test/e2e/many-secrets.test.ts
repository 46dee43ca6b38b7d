import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiClient } from '../../controller/kube/api-client.ts';
import { buildBundles } from '../../scripts/build.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { startCluster } from './support/cluster.ts';
import { RealWorld } from './support/real-world.ts';

const started = new AsyncDisposableStack();
let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  // A control plane of its own: more than half a gigabyte is written to it.
  const { plane, cluster } = await startCluster();
  started.defer(() => plane.stop());
  // What users run: from the sources, Node alone takes 70 MB more, and not always the same.
  const folder = await mkdtemp(join(tmpdir(), 'headwater-dist-'));
  started.defer(() => rm(folder, { recursive: true }));
  await buildBundles(folder);
  sink = await FakeSink.start();
  started.defer(() => sink.close());
  world = new RealWorld(cluster);
  world.programs = { adapter: join(folder, 'adapter.js'), controller: join(folder, 'controller.js') };
  started.defer(() => world.stop());
  await world.start();
});
afterAll(() => started.disposeAsync());

const COUNT = 5000;
const BYTES = 100_000;
const ALLOWED_MIB = 20;
const STARTS = 7;

const data = { blob: randomBytes((BYTES / 4) * 3).toString('base64') };
/** As `kubectl apply` leaves it, with all data once more in the metadata. */
const applied = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ data }) };
/** In turn: half applied, a quarter as they come, a quarter what Helm leaves behind. */
const MIX = [
  { type: 'Opaque', annotations: applied },
  { type: 'Opaque' },
  { type: 'Opaque', annotations: applied },
  { type: 'helm.sh/release.v1' },
];

async function makeSecrets(namespace: string): Promise<void> {
  const config = new KubeConfig();
  config.loadFromFile(world.cluster.kubeconfig);
  const api = new ApiClient(config);
  let next = 0;
  const make = async () => {
    while (next < COUNT) {
      const { type, annotations } = MIX[next % MIX.length] ?? {};
      next += 1;
      const metadata = { name: `foreign-${next}`, annotations };
      await api.call('POST', `/api/v1/namespaces/${namespace}/secrets`, { body: { metadata, type, data } });
    }
  };
  await Promise.all(Array.from({ length: 16 }, make));
  await api.close();
}

/** The most memory the controller ever had, in MiB: it is what a limit on it counts. */
async function peakOfController(): Promise<number> {
  const status = await readFile(`/proc/${world.controller.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

let edits = 0;
async function followsAnEdit(): Promise<void> {
  edits += 1;
  const secretToken = `s3cret-${edits}`;
  await world.apply(world.secret({ accessToken: 'token', secretToken }));
  await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe(secretToken));
}

/** Of controllers started anew, one after the other, once they have seen every Secret. */
async function peaks(): Promise<number[]> {
  const found: number[] = [];
  for (let start = 0; start < STARTS; start += 1) {
    await world.controller.end();
    world.startController();
    // The first is read by name, whatever else is known; the second is told by a watch, which comes after a whole list.
    await followsAnEdit();
    await followsAnEdit();
    found.push(await peakOfController());
  }
  return found;
}

const text = (values: number[]) => values.map((value) => value.toFixed()).join(', ');

it('5,000 foreign Secrets of 100 KB cost the controller less than 20 MB', async () => {
  await world.ready(sink.url('/'));
  const without = await peaks();
  await world.kubectl('create', 'namespace', 'foreign');
  await makeSecrets('foreign');
  const withThem = await peaks();
  process.stderr.write(`controller's peak without ${text(without)}, with ${text(withThem)} MiB\n`);
  // What is above the least is garbage that was not collected yet: on a busy machine up to 60 MiB, with and without them.
  expect(Math.min(...withThem) - Math.min(...without)).toBeLessThan(ALLOWED_MIB);
}, 400_000);
