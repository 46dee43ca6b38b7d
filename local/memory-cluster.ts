import { isDeepStrictEqual } from 'node:util';
import type {
  AdapterState,
  Announcement,
  Cluster,
  Following,
  Lookup,
  PublishedRoute,
  SecretLookup,
  TokenLookup,
  Watcher,
} from '../controller/cluster.ts';
import {
  type HookRecord,
  type KubeObject,
  keyOf,
  type Metadata,
  matterOf,
  type ObjectKind,
  type ObjectReference,
  referenceTo,
  type SecretKeyRef,
  type SourceObject,
  type SourceStatus,
} from '../controller/objects.ts';
import type { Route } from '../core/route.ts';
import type { MemoryRoutes } from './memory-routes.ts';

/** An object as a file has it; of a Secret the values, by key. */
export interface Manifest extends ObjectKind {
  readonly metadata: Pick<Metadata, 'name' | 'namespace' | 'uid' | 'labels' | 'annotations' | 'ownerReferences'>;
  readonly spec?: object | undefined;
  readonly data?: ReadonlyMap<string, Buffer>;
  /** Given for a Secret: tells its values from others. */
  readonly version?: string;
}

export interface MemoryClusterOptions {
  readonly routes: MemoryRoutes;
  /** Whether there is such a kind here. */
  readonly knows: (kind: ObjectKind) => boolean;
  readonly adapterStates: (uid: string) => Promise<readonly AdapterState[]>;
  /** What is there though nobody applied it. */
  readonly builtIn?: (reference: ObjectReference) => KubeObject | undefined;
  readonly onAnnouncement?: (source: SourceObject, announcement: Announcement) => void;
  readonly onOrphan?: (source: SourceObject, hook: HookRecord) => void;
  readonly now?: () => Date;
}

interface Stored {
  readonly object: KubeObject;
  readonly data: ReadonlyMap<string, Buffer>;
}

/** A Kubernetes cluster as far as the controller sees it: objects with generation, finalizers and status, in memory. */
export class MemoryCluster implements Cluster {
  readonly #options: MemoryClusterOptions;
  readonly #objects = new Map<string, Stored>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  #version = 0;

  constructor(options: MemoryClusterOptions) {
    this.#options = options;
  }

  /** As `kubectl apply`: the object is made, or its spec, labels, annotations and data become these. */
  apply({ apiVersion, kind, metadata, spec, data = new Map(), version }: Manifest): void {
    const key = keyOf({ apiVersion, kind, ...metadata });
    const stored = this.#objects.get(key);
    const before = stored?.object;
    const { labels, annotations } = metadata;
    const unchanged =
      before &&
      isDeepStrictEqual(
        [before.spec, before.metadata.labels, before.metadata.annotations],
        [spec, labels, annotations],
      ) &&
      isDeepStrictEqual(stored.data, data);
    if (unchanged) return;
    const generation = (before?.metadata.generation ?? 0) + (before && isDeepStrictEqual(before.spec, spec) ? 0 : 1);
    const creationTimestamp = before?.metadata.creationTimestamp ?? this.#now().toISOString();
    const kept: Metadata = { ...before?.metadata, ...metadata, labels, annotations, generation, creationTimestamp };
    this.#store({ apiVersion, kind, spec, status: before?.status, metadata: kept }, data, version);
  }

  /** As `kubectl delete`: it stays until its last finalizer is gone. */
  delete(reference: ObjectReference): void {
    const stored = this.#objects.get(keyOf(reference));
    if (!stored || stored.object.metadata.deletionTimestamp !== undefined) return;
    const { object, data } = stored;
    if ((object.metadata.finalizers ?? []).length === 0) this.#drop(reference);
    else
      this.#store({ ...object, metadata: { ...object.metadata, deletionTimestamp: this.#now().toISOString() } }, data);
  }

  /** Takes an object up as it is, status and finalizers included. */
  restore(object: KubeObject): void {
    this.#store(object, new Map());
  }

  all(kind?: ObjectKind): KubeObject[] {
    const objects = [...this.#objects.values()].map(({ object }) => object);
    return kind ? objects.filter((object) => kindKey(object) === kindKey(kind)) : objects;
  }

  find(reference: ObjectReference): KubeObject | undefined {
    return this.#objects.get(keyOf(reference))?.object;
  }

  /** Status of an object of any kind, as its own controller would write it. */
  setStatus(reference: ObjectReference, status: object): void {
    const stored = this.#objects.get(keyOf(reference));
    if (stored && !isDeepStrictEqual(stored.object.status, status))
      this.#store({ ...stored.object, status }, stored.data);
  }

  watch(kind: ObjectKind, onChange: Watcher): void {
    const watchers = this.#watchers.get(kindKey(kind)) ?? new Set();
    if (watchers.has(onChange)) return;
    this.#watchers.set(kindKey(kind), watchers.add(onChange));
    for (const object of this.all(kind)) onChange(referenceTo(object), matterOf(object.metadata));
  }

  follow<Kept>({ kind, namespace, name, keep, onChange, onKnown }: Following<Kept>): void {
    const counts = (one: ObjectReference) =>
      (namespace === undefined || one.namespace === namespace) && (name === undefined || one.name === name);
    this.watch(kind, (changed) => {
      const object = this.find(changed);
      if (counts(changed)) onChange(changed, object && keep(object));
    });
    onKnown(this.#options.knows(kind) ? 'all' : 'no-kind');
  }

  async get(reference: ObjectReference): Promise<Lookup> {
    const object = this.find(reference) ?? this.#options.builtIn?.(reference);
    if (object) return { found: 'object', object };
    return { found: this.#options.knows(reference) ? 'no-object' : 'no-kind' };
  }

  async readSecretKey(namespace: string, { name, key }: SecretKeyRef): Promise<SecretLookup> {
    const stored = this.#objects.get(keyOf({ apiVersion: 'v1', kind: 'Secret', namespace, name }));
    if (!stored) return { found: 'no-secret' };
    const value = stored.data.get(key);
    if (!value) return { found: 'no-key' };
    return { found: 'value', value: value.toString('utf8'), version: stored.object.metadata.resourceVersion ?? '' };
  }

  async addFinalizer(source: SourceObject, finalizer: string): Promise<SourceObject> {
    return this.#change(source, ({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, finalizers: [...(metadata.finalizers ?? []), finalizer] },
    })) as SourceObject;
  }

  async removeFinalizer(source: SourceObject, finalizer: string): Promise<void> {
    const { metadata } = this.#change(source, ({ metadata: before, ...rest }) => ({
      ...rest,
      metadata: { ...before, finalizers: (before.finalizers ?? []).filter((name) => name !== finalizer) },
    }));
    if (metadata.deletionTimestamp !== undefined && metadata.finalizers?.length === 0) this.#drop(referenceTo(source));
  }

  /** Nothing on a laptop could check a token. */
  async requestToken(_source: SourceObject, _audience: string): Promise<TokenLookup> {
    return { found: 'unavailable' };
  }

  async readRoute(uid: string): Promise<Route | undefined> {
    return this.#options.routes.get(uid);
  }

  routeObject(): undefined {
    return undefined;
  }

  async publishRoute(route: Route): Promise<void> {
    this.#options.routes.put(route);
  }

  async removeRoute(uid: string): Promise<void> {
    this.#options.routes.remove(uid);
  }

  async publishedRoutes(): Promise<readonly PublishedRoute[]> {
    const living = new Set(this.all().map(({ metadata }) => metadata.uid));
    return this.#options.routes.all().filter(({ uid }) => !living.has(uid));
  }

  adapterStates(uid: string): Promise<readonly AdapterState[]> {
    return this.#options.adapterStates(uid);
  }

  async writeStatus(source: SourceObject, status: SourceStatus): Promise<void> {
    this.#change(source, (object) => ({ ...object, status }));
  }

  async announce(source: SourceObject, announcement: Announcement): Promise<void> {
    this.#options.onAnnouncement?.(source, announcement);
  }

  async recordOrphan(source: SourceObject, hook: HookRecord): Promise<void> {
    this.#options.onOrphan?.(source, hook);
  }

  #change(source: SourceObject, change: (object: KubeObject) => KubeObject): KubeObject {
    const stored = this.#objects.get(keyOf(referenceTo(source)));
    if (!stored || stored.object.metadata.uid !== source.metadata.uid) throw new Error('the object is gone');
    const changed = change(stored.object);
    this.#store(changed, stored.data);
    return this.find(referenceTo(source)) ?? changed;
  }

  #store(object: KubeObject, data: ReadonlyMap<string, Buffer>, version?: string): void {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: version ?? String(this.#version) };
    this.#objects.set(keyOf(referenceTo(object)), { object: { ...object, metadata }, data });
    this.#tell(referenceTo(object));
  }

  /** And what it owned, as the garbage collector of a cluster does. */
  #drop(reference: ObjectReference): void {
    const uid = this.find(reference)?.metadata.uid;
    this.#objects.delete(keyOf(reference));
    this.#tell(reference);
    const isOwned = ({ metadata }: KubeObject) => metadata.ownerReferences?.some((owner) => owner.uid === uid);
    for (const object of this.all().filter(isOwned)) this.delete(referenceTo(object));
  }

  #tell(reference: ObjectReference): void {
    const object = this.find(reference);
    const matter = object && matterOf(object.metadata);
    for (const watcher of this.#watchers.get(kindKey(reference)) ?? []) watcher(reference, matter);
  }

  #now(): Date {
    return this.#options.now?.() ?? new Date();
  }
}

function kindKey({ apiVersion, kind }: ObjectKind): string {
  return keyOf({ apiVersion, kind, namespace: '', name: '' });
}
