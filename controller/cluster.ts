import type { AuthenticDelivery, Route } from '../core/route.ts';
import type {
  HookRecord,
  KubeObject,
  ObjectKind,
  ObjectReference,
  SecretKeyRef,
  SourceObject,
  SourceStatus,
} from './objects.ts';

/**
 * `no-kind`: the cluster knows no such kind, as when its definition is not installed; `forbidden`: the controller has no
 * right to read it, and `rule` says which it needs.
 */
export type Lookup =
  | { readonly found: 'object'; readonly object: KubeObject }
  | { readonly found: 'forbidden'; readonly rule: string }
  | { readonly found: 'no-object' }
  | { readonly found: 'no-kind' };

export type SecretLookup =
  | { readonly found: 'value'; readonly value: string /** resourceVersion of the Secret. */; readonly version: string }
  | { readonly found: 'forbidden'; readonly rule: string }
  | { readonly found: 'no-secret' }
  | { readonly found: 'no-key' };

/** `unavailable`: there is nobody here to give tokens. */
export type TokenLookup =
  | { readonly found: 'token'; readonly value: string }
  | { readonly found: 'forbidden'; readonly rule: string }
  | { readonly found: 'unavailable' };

/** How one ready replica of the adapter serves a route. */
export interface AdapterState {
  /** undefined: it does not. */
  readonly generation: number | undefined;
  readonly lastAuthentic: AuthenticDelivery | undefined;
  /** It could not be asked. */
  readonly silent?: true;
}

/** Whose route is published. */
export interface PublishedRoute {
  readonly uid: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A Kubernetes Event about a source. */
export interface Announcement {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
  /** The condition whose change it tells of, which status says as well. */
  readonly condition?: string;
}

/** A kind of which some facts are kept, rather than read when they are needed. */
export interface Following<Kept> {
  readonly kind: ObjectKind;
  /** undefined: all. */
  readonly namespace: string | undefined;
  /** The one object of this name. */
  readonly name?: string | undefined;
  /** undefined: nothing of an object counts. */
  readonly keep: (object: KubeObject) => Kept | undefined;
  /** Called when an object appears, changes or goes; `version`: its resourceVersion, undefined when it is gone. */
  readonly onChange: (reference: ObjectReference, kept: Kept | undefined, version?: string) => void;
  /** Called when it is known what there is, and again when that changed: all was told of, or why nothing is. */
  readonly onKnown: (known: 'all' | 'no-kind' | { readonly forbidden: string }) => void;
}

/** `matter`: `matterOf` of the object as it is now; undefined: it is gone. */
export type Watcher = (changed: ObjectReference, matter: string | undefined) => void;

/**
 * All that the controller needs of a cluster. Every method rejects when the cluster cannot be asked; those that write to a
 * source, with SourceRefusedError where an admission webhook refuses.
 */
export interface Cluster {
  /**
   * Calls `onChange` for every object of the kind there is, and from then on whenever one appears, changes or goes; also
   * when the kind itself is installed later. `namespace` undefined: in all namespaces whose sources are served; where it is
   * one, objects of others may be told of too. Asked for again, the same `onChange` is told no more than once.
   */
  watch(kind: ObjectKind & { readonly namespace?: string }, onChange: Watcher): void;
  /** As `watch`, but tells of what is kept of each object; in one namespace or all, whichever sources are served. */
  follow<Kept>(following: Following<Kept>): void;
  get(reference: ObjectReference): Promise<Lookup>;
  readSecretKey(namespace: string, key: SecretKeyRef): Promise<SecretLookup>;
  /** Resolves to the object as it is then. */
  addFinalizer(source: SourceObject, finalizer: string): Promise<SourceObject>;
  /** The object is gone when it was the last one. */
  removeFinalizer(source: SourceObject, finalizer: string): Promise<void>;
  /** An OIDC token for an audience, of the source's own ServiceAccount; a new one each time. */
  requestToken(source: SourceObject, audience: string): Promise<TokenLookup>;
  /** The route published for a source. */
  readRoute(uid: string): Promise<Route | undefined>;
  /** What carries that route; undefined: nothing that anybody else could change. */
  routeObject(uid: string): ObjectReference | undefined;
  publishRoute(route: Route): Promise<void>;
  removeRoute(uid: string): Promise<void>;
  /** The routes this controller published whose sources it does not see: whether they are gone is still to be asked. */
  publishedRoutes(): Promise<readonly PublishedRoute[]>;
  /** Of every ready replica of the adapter that serves, or should serve, this source; none ready: empty. */
  adapterStates(uid: string): Promise<readonly AdapterState[]>;
  writeStatus(source: SourceObject, status: SourceStatus): Promise<void>;
  announce(source: SourceObject, announcement: Announcement): Promise<void>;
  /** Notes a webhook that is left behind at the provider in ConfigMap `headwater-orphaned-hooks`. */
  recordOrphan(source: SourceObject, hook: HookRecord): Promise<void>;
}

/** What a source is made from, and what was made of it. */
export type Objects = Pick<Cluster, 'get' | 'readSecretKey' | 'readRoute'>;
