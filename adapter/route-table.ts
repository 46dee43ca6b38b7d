import { createSecretKey, type KeyObject } from 'node:crypto';
import { headerValueOf } from '../core/cloud-event.ts';
import { type DeliveryPolicy, deliveryPolicyOf } from '../core/delivery-policy.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Route } from '../core/route.ts';
import type { SourceDefinition } from '../sources/contract.ts';
import { RouteState } from './route-state.ts';
import { type Sink, sinkOf } from './sink-pools.ts';

/** A route as the table holds it. */
export interface HeldRoute {
  readonly route: Route;
  readonly definition: SourceDefinition;
  readonly state: RouteState;
}

/** A route made ready to be served: everything that does not change from event to event is computed here, once. */
export interface ServedRoute extends HeldRoute {
  /** In the order of the route's `secretTokens`. */
  readonly secrets: readonly { readonly key: KeyObject; readonly validUntilMs: number }[];
  readonly eventTypes: ReadonlySet<string>;
  readonly sink: Sink | null;
  readonly deadLetterSink: Sink | null;
  readonly policy: DeliveryPolicy;
  /** Names and values, in turn, of the headers every event of this route is sent with. */
  readonly headers: readonly string[];
  /** Names of extensions the source overrides: what the provider says under these is not sent. */
  readonly overridden: ReadonlySet<string>;
}

/** Most routes of a large install wait for their first delivery for days. */
interface Entry extends HeldRoute {
  served?: ServedRoute;
}

/** The routes being served. It is filled from outside: a folder of files, watched Secrets, or memory. */
export class RouteTable {
  readonly #byUid = new Map<string, Entry>();
  readonly #byPath = new Map<string, Entry>();
  readonly #definitionOf: (kind: string) => SourceDefinition | undefined;
  readonly #anyPath: boolean;
  /** Counts what happens to the table and its routes; `RouteState.changed` and `removed` hold its values. */
  #sequence = 0;
  #removed = 0;

  /** `anyPath`: a route that is alone is found by every path. */
  constructor(definitionOf: (kind: string) => SourceDefinition | undefined, { anyPath = false } = {}) {
    this.#definitionOf = definitionOf;
    this.#anyPath = anyPath;
  }

  /** The route for a request's path. Only its last two segments count, so that a public base may have a prefix. */
  find(path: string): ServedRoute | undefined {
    const entry = this.#byPath.get(path) ?? this.#byPath.get(lastTwoSegments(path)) ?? this.#onlyOne();
    if (!entry) return undefined;
    entry.served ??= serve(entry);
    return entry.served;
  }

  #onlyOne(): Entry | undefined {
    if (!this.#anyPath || this.#byUid.size !== 1) return undefined;
    const [only] = this.#byUid.values();
    return only;
  }

  get(uid: string): HeldRoute | undefined {
    return this.#byUid.get(uid);
  }

  all(): readonly HeldRoute[] {
    return [...this.#byUid.values()];
  }

  /** Those a delivery came for: only they have sinks that are connected to. */
  served(): readonly ServedRoute[] {
    return [...this.#byUid.values()].flatMap(({ served }) => served ?? []);
  }

  get size(): number {
    return this.#byUid.size;
  }

  /** The sequence number of the newest change, and of the newest removal. */
  get sequence(): { readonly changed: number; readonly removed: number } {
    return { changed: this.#sequence, removed: this.#removed };
  }

  /**
   * Serves `route` from the next request on; requests under way finish with what they have.
   * @throws ConfigurationError when its kind is unknown or another source holds its path.
   */
  put(route: Route): void {
    const definition = this.#definitionOf(route.kind);
    if (!definition) throw new ConfigurationError('route', [`kind ${route.kind} is not supported by this version`]);
    const holder = this.#byPath.get(route.path);
    if (holder && holder.route.uid !== route.uid) {
      throw new ConfigurationError('route', [`path ${route.path} is held by source ${holder.route.uid}`]);
    }
    const previous = this.#byUid.get(route.uid);
    const state = previous?.state ?? new RouteState(() => this.#nextSequence());
    if (previous) this.#byPath.delete(previous.route.path);
    const entry: Entry = { route, definition, state };
    // Its connections are in use.
    if (previous?.served) entry.served = serve(entry);
    this.#byUid.set(route.uid, entry);
    this.#byPath.set(route.path, entry);
    state.touch();
  }

  remove(uid: string): void {
    const previous = this.#byUid.get(uid);
    if (!previous) return;
    this.#byUid.delete(uid);
    this.#byPath.delete(previous.route.path);
    this.#removed = this.#nextSequence();
  }

  #nextSequence(): number {
    this.#sequence += 1;
    return this.#sequence;
  }
}

function lastTwoSegments(path: string): string {
  return path.slice(Math.max(0, path.lastIndexOf('/', path.lastIndexOf('/') - 1)));
}

function serve({ route, definition, state }: HeldRoute): ServedRoute {
  const overrides = route.ceOverrides.extensions ?? {};
  return {
    route,
    definition,
    secrets: route.secretTokens.map(({ value, validUntil }) => ({
      key: createSecretKey(value, 'utf8'),
      validUntilMs: validUntil === undefined || validUntil === null ? Number.POSITIVE_INFINITY : Date.parse(validUntil),
    })),
    eventTypes: new Set(route.eventTypes),
    sink: route.sink && sinkOf(route.sink),
    deadLetterSink: route.deadLetterSink && sinkOf(route.deadLetterSink),
    policy: deliveryPolicyOf(route.delivery),
    headers: [
      'content-type',
      'application/json',
      'ce-specversion',
      '1.0',
      'ce-source',
      headerValueOf(route.eventSource),
      'kn-namespace',
      route.namespace,
      ...Object.entries(overrides).flatMap(([name, value]) => [`ce-${name}`, headerValueOf(value)]),
    ],
    overridden: new Set(Object.keys(overrides)),
    state,
  };
}
