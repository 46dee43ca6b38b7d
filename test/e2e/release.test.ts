import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { releaseManifest } from '../../scripts/release.ts';
import { startCluster } from './support/cluster.ts';
import { RealWorld } from './support/real-world.ts';

const started = new AsyncDisposableStack();
let world: RealWorld;
let file: string;
beforeAll(async () => {
  const { plane, cluster } = await startCluster({}, []);
  started.defer(() => plane.stop());
  world = new RealWorld(cluster);
  await world.open();
  started.defer(() => world.github.stop());
  file = world.file('release.yaml');
  await writeFile(file, await releaseManifest(cluster.kubectl));
});
afterAll(() => started.disposeAsync());

interface Applied {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** Of every object what no controller of the cluster writes. */
async function contents(): Promise<readonly object[]> {
  const { items } = JSON.parse(await world.kubectl('get', '-f', file, '-o', 'json')) as { items: Applied[] };
  return items.map(({ metadata: { name, uid, annotations }, spec, ...object }) => ({
    ...object,
    metadata: { name, uid },
    // The HorizontalPodAutoscaler's to say.
    spec: { ...spec, replicas: undefined },
    status: undefined,
    applied: annotations['kubectl.kubernetes.io/last-applied-configuration'],
  }));
}

it('release.yaml makes what config/default does, and applied again changes nothing', async () => {
  const made = (await world.kubectl('apply', '-f', file)).trim().split('\n');
  expect(made.length).toBeGreaterThan(20);
  expect(made.filter((line) => !line.endsWith(' created'))).toEqual([]);
  const before = await contents();
  expect(before).toHaveLength(made.length);
  await world.kubectl('apply', '-f', file);
  expect(await contents()).toEqual(before);
  await world.kubectl('apply', '-k', 'config/default');
  expect(await contents()).toEqual(before);
});
