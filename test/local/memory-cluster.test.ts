import { beforeEach, describe, expect, it } from 'vitest';
import type { KubeObject, ObjectReference, SourceObject } from '../../controller/objects.ts';
import { type Manifest, MemoryCluster } from '../../local/memory-cluster.ts';
import { MemoryRoutes } from '../../local/memory-routes.ts';

const KIND = { apiVersion: 'sources.knative.dev/v1alpha1', kind: 'GitHubSource' };
const SECRET = { apiVersion: 'v1', kind: 'Secret' };
const hello: ObjectReference = { ...KIND, namespace: 'demo', name: 'hello' };
const FINALIZER = 'githubsources.sources.knative.dev';

let cluster: MemoryCluster;
let now: Date;
beforeEach(() => {
  now = new Date('2026-01-01T00:00:00Z');
  cluster = new MemoryCluster({
    routes: new MemoryRoutes(),
    knows: ({ kind }) => kind === KIND.kind || kind === SECRET.kind,
    adapterStates: async () => [],
    now: () => now,
  });
});

type Change = Partial<Omit<Manifest, 'metadata'>> & { readonly metadata?: Partial<Manifest['metadata']> };

const aSource = (change: Change = {}): Manifest => ({
  ...KIND,
  spec: { a: 1 },
  ...change,
  metadata: { name: 'hello', namespace: 'demo', uid: '1', ...change.metadata },
});

const aSecret = (data: Record<string, string>, version?: string): Manifest => ({
  ...SECRET,
  metadata: { name: 'github', namespace: 'demo', uid: '2' },
  data: new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)])),
  ...(version !== undefined && { version }),
});

function found(): SourceObject {
  const object = cluster.find(hello);
  if (!object) throw new Error('it is gone');
  return object as SourceObject;
}

/** What is told of a kind, as it was then: `hello 3`, with the generation; `hello gone`. */
function listen(kind = KIND): string[] {
  const told: string[] = [];
  cluster.watch(kind, (changed) => {
    const object = cluster.find(changed);
    told.push(`${changed.name} ${object ? object.metadata.generation : 'gone'}`);
  });
  return told;
}

describe('apply', () => {
  const changes: { name: string; change: Change; generation: number; told: number }[] = [
    { name: 'nothing', change: {}, generation: 1, told: 0 },
    { name: 'spec', change: { spec: { a: 2 } }, generation: 2, told: 1 },
    { name: 'spec, gone', change: { spec: undefined }, generation: 2, told: 1 },
    { name: 'labels', change: { metadata: { labels: { a: 'b' } } }, generation: 1, told: 1 },
    { name: 'annotations', change: { metadata: { annotations: { a: 'b' } } }, generation: 1, told: 1 },
  ];
  for (const { name, change, generation, told } of changes)
    it(`${name} changed: generation ${generation}, told ${told} times`, () => {
      cluster.apply(aSource());
      const before = found().metadata.resourceVersion;
      const heard = listen();
      heard.length = 0;
      cluster.apply(aSource(change));
      expect(found().metadata.generation).toBe(generation);
      expect(found().metadata.resourceVersion !== before).toBe(told > 0);
      expect(heard).toHaveLength(told);
    });

  it('keeps status, finalizers and the time it was made; labels and annotations become those given', async () => {
    cluster.apply(aSource({ metadata: { labels: { a: 'b' }, annotations: { c: 'd' } } }));
    await cluster.addFinalizer(found(), FINALIZER);
    await cluster.writeStatus(found(), { webhookIDKey: '12' });
    now = new Date('2026-01-02T00:00:00Z');
    cluster.apply(aSource({ spec: { a: 2 }, metadata: { annotations: { e: 'f' } } }));
    expect(found()).toEqual({
      ...KIND,
      spec: { a: 2 },
      status: { webhookIDKey: '12' },
      metadata: {
        name: 'hello',
        namespace: 'demo',
        uid: '1',
        generation: 2,
        creationTimestamp: '2026-01-01T00:00:00.000Z',
        finalizers: [FINALIZER],
        labels: undefined,
        annotations: { e: 'f' },
        resourceVersion: expect.any(String) as string,
      },
    });
  });

  it('status changes no generation', async () => {
    cluster.apply(aSource());
    await cluster.writeStatus(found(), { webhookIDKey: '12' });
    cluster.setStatus(hello, { webhookIDKey: '13' });
    expect([found().metadata.generation, found().status]).toEqual([1, { webhookIDKey: '13' }]);
  });
});

describe('delete', () => {
  it('without finalizer: it is gone', () => {
    cluster.apply(aSource());
    cluster.delete(hello);
    expect(cluster.find(hello)).toBeUndefined();
  });

  it('with finalizers it stays until the last is gone', async () => {
    cluster.apply(aSource());
    await cluster.addFinalizer(found(), FINALIZER);
    await cluster.addFinalizer(found(), 'other');
    cluster.delete(hello);
    expect(found().metadata.deletionTimestamp).toBe('2026-01-01T00:00:00.000Z');
    await cluster.removeFinalizer(found(), FINALIZER);
    expect(found().metadata.finalizers).toEqual(['other']);
    await cluster.removeFinalizer(found(), 'other');
    expect(cluster.find(hello)).toBeUndefined();
  });

  it('a second time: the time of the first stays', async () => {
    cluster.apply(aSource());
    await cluster.addFinalizer(found(), FINALIZER);
    cluster.delete(hello);
    now = new Date('2026-01-02T00:00:00Z');
    cluster.delete(hello);
    cluster.apply(aSource({ spec: { a: 2 } }));
    expect(found().metadata.deletionTimestamp).toBe('2026-01-01T00:00:00.000Z');
  });

  it('an object that lives stays when its last finalizer is gone', async () => {
    cluster.apply(aSource());
    await cluster.removeFinalizer(await cluster.addFinalizer(found(), FINALIZER), FINALIZER);
    expect(found().metadata.finalizers).toEqual([]);
  });

  it('what is not there: nothing happens', () => {
    const heard = listen();
    cluster.delete(hello);
    expect(heard).toEqual([]);
  });

  it('a write to an object that was made anew since is refused', async () => {
    cluster.apply(aSource());
    const old = found();
    cluster.delete(hello);
    cluster.apply(aSource({ metadata: { uid: '3' } }));
    await expect(cluster.writeStatus(old, { webhookIDKey: '12' })).rejects.toThrow('the object is gone');
    expect([found().status, found().metadata.generation]).toEqual([undefined, 1]);
  });
});

it('restore takes an object up as it is, and the same manifest changes nothing of it', () => {
  const object: KubeObject = {
    ...KIND,
    spec: { a: 1 },
    status: { webhookIDKey: '12' },
    metadata: {
      name: 'hello',
      namespace: 'demo',
      uid: '1',
      generation: 7,
      creationTimestamp: '2025-01-01T00:00:00Z',
      finalizers: [FINALIZER],
    },
  };
  cluster.restore(object);
  cluster.apply(aSource());
  expect(found()).toEqual({ ...object, metadata: { ...object.metadata, resourceVersion: '1' } });
  cluster.apply(aSource({ spec: { a: 2 } }));
  expect([found().metadata.generation, found().metadata.creationTimestamp]).toEqual([8, '2025-01-01T00:00:00Z']);
});

it('watch tells of what is there, then of what appears, changes and goes, of its kind alone', async () => {
  cluster.apply(aSource());
  const told = listen();
  const others = listen({ ...KIND, apiVersion: 'example.com/v1' });
  cluster.apply(aSource({ metadata: { name: 'second' } }));
  cluster.apply(aSource({ spec: { a: 2 } }));
  await cluster.addFinalizer(found(), FINALIZER);
  cluster.delete(hello);
  await cluster.removeFinalizer(found(), FINALIZER);
  cluster.apply(aSecret({}));
  expect(told.filter((one, index) => one !== told[index - 1])).toEqual([
    'hello 1',
    'second 1',
    'hello 2',
    'hello gone',
  ]);
  expect(others).toEqual([]);
});

describe('get', () => {
  it('finds an object by any version of its kind', async () => {
    cluster.apply(aSource());
    expect(await cluster.get({ ...hello, apiVersion: 'sources.knative.dev/v1' })).toEqual({
      found: 'object',
      object: found(),
    });
  });
  it('tells no such object from no such kind', async () => {
    expect(await cluster.get(hello)).toEqual({ found: 'no-object' });
    expect(await cluster.get({ ...hello, kind: 'Channel' })).toEqual({ found: 'no-kind' });
  });
});

describe('readSecretKey', () => {
  const look = (key: string, name = 'github', namespace = 'demo') => cluster.readSecretKey(namespace, { name, key });
  beforeEach(() => cluster.apply(aSecret({ token: 'grüße', empty: '' }, 'v1')));

  const rows: { name: string; key: [key: string, name?: string, namespace?: string]; lookup: object }[] = [
    {
      name: 'a value, with the version of its Secret',
      key: ['token'],
      lookup: { found: 'value', value: 'grüße', version: 'v1' },
    },
    { name: 'an empty value', key: ['empty'], lookup: { found: 'value', value: '', version: 'v1' } },
    { name: 'no key', key: ['other'], lookup: { found: 'no-key' } },
    { name: 'no key that every object has', key: ['constructor'], lookup: { found: 'no-key' } },
    { name: 'no Secret', key: ['token', 'other'], lookup: { found: 'no-secret' } },
    { name: 'no Secret in that namespace', key: ['token', 'github', 'default'], lookup: { found: 'no-secret' } },
  ];
  for (const { name, key, lookup } of rows) it(name, async () => expect(await look(...key)).toEqual(lookup));

  it('another version for other values, told to whoever watches', async () => {
    const told = listen(SECRET);
    cluster.apply(aSecret({ token: 'other' }, 'v2'));
    cluster.apply(aSecret({ token: 'other' }, 'v2'));
    expect(await look('token')).toEqual({ found: 'value', value: 'other', version: 'v2' });
    expect(told).toEqual(['github 1', 'github 1']);
  });

  it('without a version given it has one of its own', async () => {
    const versions = [];
    for (const token of ['a', 'b']) {
      cluster.apply(aSecret({ token }));
      versions.push(cluster.find({ ...SECRET, namespace: 'demo', name: 'github' })?.metadata.resourceVersion);
    }
    expect(new Set(versions).size).toBe(2);
  });
});
