import { ConfigurationError } from '../../core/errors.ts';
import { type ApiObject, ApiStatusError, type ListWatchTimings } from '../../core/list-watch.ts';
import type { Log } from '../../core/log.ts';
import { parseRoute, type Route } from '../../core/route.ts';
import { AdmissionError, SourceRefusedError } from '../admission-error.ts';
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
} from '../cluster.ts';
import {
  type HookRecord,
  type KubeObject,
  keyOf,
  type ObjectKind,
  type ObjectReference,
  type SecretKeyRef,
  type SourceObject,
  type SourceStatus,
} from '../objects.ts';
import type { ApiClient } from './api-client.ts';
import { applyObject, FIELD_MANAGER } from './apply.ts';
import { EventRecorder } from './events.ts';
import { MERGE_PATCH, mergePatch } from './merge-patch.ts';
import type { OrphanedHooks } from './orphaned-hooks.ts';
import { OwnWrites } from './own-writes.ts';
import type { Resources } from './resources.ts';
import { CONTROLLER_LABEL, ownerOf, ROUTE_LABEL, routeSecret, routeSecretName, routeTextIn } from './route-secret.ts';
import { requestSourceToken } from './source-token.ts';
import { METADATA_ONLY } from './transport.ts';
import { WatchedKinds } from './watched-kinds.ts';

export interface KubeClusterOptions {
  readonly api: ApiClient;
  readonly resources: Resources;
  /** Of the sources that are served; empty: all. */
  readonly namespaces: readonly string[];
  /** Where route Secrets are. */
  readonly routesNamespace: string;
  /** Where the controller is. */
  readonly systemNamespace: string;
  /** Of every ready replica of the adapter. */
  readonly adapterStates: (uid: string) => Promise<readonly AdapterState[]>;
  readonly orphans: Pick<OrphanedHooks, 'record'>;
  readonly now: () => Date;
  readonly log: Log;
  /** Called with each failure of a watch, after which it is tried again. */
  readonly onWatchFailure?: (() => void) | undefined;
  /** Called with a kind of what sources name that was not there, and is now. */
  readonly onKind?: ((kind: ObjectKind) => void) | undefined;
  readonly timings?: Partial<ListWatchTimings> | undefined;
}

const SECRET: ObjectKind = { apiVersion: 'v1', kind: 'Secret' };

/** A real cluster, through its API server. Objects are read when they are needed; watches only tell that they changed. */
export class KubeCluster implements Cluster {
  readonly #options: KubeClusterOptions;
  readonly #events: EventRecorder;
  readonly #ownWrites = new OwnWrites();
  readonly #watched: WatchedKinds;

  constructor(options: KubeClusterOptions) {
    this.#options = options;
    this.#events = new EventRecorder(options);
    this.#watched = new WatchedKinds({ ...options, ownWrites: this.#ownWrites });
  }

  stop(): Promise<void> {
    return this.#watched.stop();
  }

  watch(kind: ObjectKind & { readonly namespace?: string }, onChange: Watcher): void {
    this.#watched.watch(kind, onChange);
  }

  follow<Kept>(following: Following<Kept>): void {
    this.#watched.follow(following);
  }

  /** Kinds of an API group may have come or gone. */
  definitionsChanged(group: string): void {
    this.#options.resources.forgetGroup(group);
    this.#watched.lookNow(group);
  }

  async get(reference: ObjectReference): Promise<Lookup> {
    const resource = await this.#options.resources.find(reference);
    if (!resource) return { found: 'no-kind' };
    const path = `${resource.collection(reference.namespace)}/${encodeURIComponent(reference.name)}`;
    try {
      return { found: 'object', object: await this.#options.api.call<KubeObject>('GET', path) };
    } catch (error) {
      const refusal = refused(error, `get, list and watch on ${resource.plural} (${reference.apiVersion})`);
      if (refusal) return refusal;
      // The server answers the same for an object that is not there and for a kind that is not there any more.
      this.#options.resources.forget(reference);
      return { found: (await this.#options.resources.find(reference)) ? 'no-object' : 'no-kind' };
    }
  }

  async readSecretKey(namespace: string, { name, key }: SecretKeyRef): Promise<SecretLookup> {
    try {
      const secret = await this.#options.api.call<{
        metadata: { resourceVersion: string };
        data?: Record<string, string>;
      }>('GET', secretPath(namespace, name));
      const value = secret.data?.[key];
      if (value === undefined) return { found: 'no-key' };
      return {
        found: 'value',
        value: Buffer.from(value, 'base64').toString('utf8'),
        version: secret.metadata.resourceVersion,
      };
    } catch (error) {
      return refused(error, 'get, list and watch on secrets') ?? { found: 'no-secret' };
    }
  }

  addFinalizer(source: SourceObject, finalizer: string): Promise<SourceObject> {
    return this.#patchFinalizers(source, [...(source.metadata.finalizers ?? []), finalizer]);
  }

  async removeFinalizer(source: SourceObject, finalizer: string): Promise<void> {
    try {
      await this.#patchFinalizers(
        source,
        (source.metadata.finalizers ?? []).filter((name) => name !== finalizer),
      );
    } catch (error) {
      if (!isCode(error, 404)) throw error;
    }
  }

  /** With the resourceVersion read: finalizers others set meanwhile are not undone. */
  async #patchFinalizers(source: SourceObject, finalizers: readonly string[]): Promise<SourceObject> {
    const { resourceVersion } = source.metadata;
    return this.#patchSource<SourceObject>(await this.#pathOf(source), { metadata: { finalizers, resourceVersion } });
  }

  async writeStatus(source: SourceObject, status: SourceStatus): Promise<void> {
    const { resourceVersion } = source.metadata;
    const patch = mergePatch({ ...source.status }, { ...status });
    await this.#patchSource(`${await this.#pathOf(source)}/status`, { metadata: { resourceVersion }, status: patch });
  }

  requestToken(source: SourceObject, audience: string): Promise<TokenLookup> {
    return requestSourceToken(this.#options.api, source, audience);
  }

  async readRoute(uid: string): Promise<Route | undefined> {
    const { api, routesNamespace } = this.#options;
    try {
      const text = routeTextIn(await api.call('GET', secretPath(routesNamespace, routeSecretName(uid))), uid);
      return text === undefined ? undefined : parseRoute(text).route;
    } catch (error) {
      // What no adapter could serve is none, and is published anew.
      if (isCode(error, 404) || error instanceof ConfigurationError) return undefined;
      throw error;
    }
  }

  routeObject(uid: string): ObjectReference {
    return { ...SECRET, namespace: this.#options.routesNamespace, name: routeSecretName(uid) };
  }

  async publishRoute(route: Route): Promise<void> {
    const { api, routesNamespace } = this.#options;
    // Throws where no adapter could serve it.
    parseRoute(JSON.stringify(route));
    const path = secretPath(routesNamespace, routeSecretName(route.uid));
    const secret = routeSecret(route, routesNamespace, this.#options.systemNamespace);
    await this.#ownWrites.note(keyOf(this.routeObject(route.uid)), async () => {
      const { metadata } = await applyObject<ApiObject>(api, path, secret);
      return metadata.resourceVersion;
    });
  }

  async removeRoute(uid: string): Promise<void> {
    try {
      await this.#options.api.call('DELETE', secretPath(this.#options.routesNamespace, routeSecretName(uid)));
    } catch (error) {
      if (!isCode(error, 404)) throw error;
    }
  }

  async publishedRoutes(): Promise<readonly PublishedRoute[]> {
    const { api, routesNamespace, systemNamespace, namespaces } = this.#options;
    const labelSelector = `${ROUTE_LABEL}=true,${CONTROLLER_LABEL}=${systemNamespace}`;
    const path = `/api/v1/namespaces/${encodeURIComponent(routesNamespace)}/secrets`;
    const owners: PublishedRoute[] = [];
    let next: string | undefined;
    do {
      const query = { labelSelector, limit: 500, continue: next };
      const page = await api.call<MetadataList>('GET', path, { query, accept: METADATA_ONLY.list });
      owners.push(...(page.items ?? []).flatMap(({ metadata }) => ownerOf(metadata) ?? []));
      next = page.metadata.continue || undefined;
    } while (next !== undefined);
    const seen = this.#watched.uids();
    const isServed = (namespace: string) => namespaces.length === 0 || namespaces.includes(namespace);
    return owners.filter(({ uid, namespace }) => isServed(namespace) && !seen.has(uid));
  }

  adapterStates(uid: string): Promise<readonly AdapterState[]> {
    return this.#options.adapterStates(uid);
  }

  announce(source: SourceObject, announcement: Announcement): Promise<void> {
    return this.#events.record(source, announcement);
  }

  recordOrphan(source: SourceObject, hook: HookRecord): Promise<void> {
    return this.#options.orphans.record(source, hook);
  }

  async #pathOf(source: SourceObject): Promise<string> {
    const resource = await this.#options.resources.find(source);
    if (!resource) throw new Error(`the cluster has no kind ${source.kind} any more`);
    return `${resource.collection(source.metadata.namespace)}/${encodeURIComponent(source.metadata.name)}`;
  }

  async #patchSource<Answer>(path: string, body: object): Promise<Answer> {
    const query = { fieldManager: FIELD_MANAGER };
    try {
      return await this.#options.api.call<Answer>('PATCH', path, { query, body, contentType: MERGE_PATCH });
    } catch (error) {
      throw error instanceof AdmissionError ? new SourceRefusedError(error) : error;
    }
  }
}

interface MetadataList {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } }[] | null;
}

function secretPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
}

function isCode(error: unknown, code: number): boolean {
  return error instanceof ApiStatusError && error.code === code;
}

/** 403 is said, 404 is undefined, anything else thrown. */
function refused(error: unknown, rule: string): { found: 'forbidden'; rule: string } | undefined {
  if (isCode(error, 403)) return { found: 'forbidden', rule };
  if (isCode(error, 404)) return undefined;
  throw error;
}
