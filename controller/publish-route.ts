import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Route } from '../core/route.ts';
import type { SourcePlan } from '../sources/contract.ts';
import type { AdapterState, Cluster } from './cluster.ts';
import type { SourceObject } from './objects.ts';
import { isQuietChange, routeOf, secretTokensOf } from './resources/route.ts';
import type { RouteShelf, RouteShelves } from './route-shelves.ts';
import type { Secrets } from './secrets.ts';
import type { Sinks } from './sink.ts';
import { blocked, isBlocked, type Retry, type Step } from './step.ts';

export interface PublishDeps {
  readonly now: () => Date;
  /** How long a replaced secret is accepted after the provider has its successor, in milliseconds. */
  readonly secretOverlapMs: number;
}

export interface RouteInput {
  readonly source: SourceObject;
  readonly plan: SourcePlan;
  readonly secrets: Secrets;
  readonly sinks: Sinks;
}

export interface Publishing {
  readonly shelves: RouteShelves;
  /** The provider has the present secret. */
  readonly confirmed: boolean;
}

/**
 * Publishes what the route should be, where it is not. Where another adapter served the source until now, its route is kept
 * up to date as well: as long as the provider sends there, it counts.
 */
export async function publishRoute(
  { source, plan, secrets, sinks }: RouteInput,
  { shelves, confirmed }: Publishing,
  deps: PublishDeps,
): Promise<Step<Route>> {
  const published = await shelves.present.read();
  const elsewhere = await shelves.other.read();
  const rotation = { confirmed, overlapMs: deps.secretOverlapMs, now: deps.now() };
  const known = published ?? elsewhere;
  const tokens = secretTokensOf(secrets.secretToken, known?.secretTokens ?? [], rotation);
  const wanted = routeOf(source, plan, sinks, tokens);
  if (elsewhere) await publishIfChanged(shelves.other, elsewhere, wanted, deps);
  return publishIfChanged(shelves.present, published, wanted, deps);
}

const NO_SINKS = { sink: null, deadLetterSink: null };

/**
 * Puts the present sinks, or none, into a route that is published already. Without a sink it stays and answers 503: a
 * provider must not be told that events are kept, nor that their URL is unknown.
 */
export async function updateSinks(
  sinks: Sinks | undefined,
  { present, other }: RouteShelves,
  deps: Pick<PublishDeps, 'now'>,
): Promise<void> {
  for (const shelf of [present, other]) {
    const published = await shelf.read();
    if (published) await publishIfChanged(shelf, published, { ...published, ...(sinks ?? NO_SINKS) }, deps);
  }
}

async function publishIfChanged(
  shelf: RouteShelf,
  published: Route | undefined,
  wanted: Omit<Route, 'generation'>,
  { now }: Pick<PublishDeps, 'now'>,
): Promise<Step<Route>> {
  // Where the count is lost, adapters may still serve an older route: it goes on above all that went before.
  const generation = published?.generation ?? Math.floor(now().getTime() / 1000);
  // As it is stored: fields that are undefined are not there.
  const stored = JSON.parse(JSON.stringify({ ...wanted, generation })) as Route;
  if (published && isDeepStrictEqual(published, stored)) return { done: published };
  // While the token that adapters have is good, nobody needs to wait until they have its successor.
  const isQuiet = published && isQuietChange(published, stored, now());
  const route = isQuiet ? stored : { ...stored, generation: generation + 1 };
  const written = await shelf.write(route);
  return isBlocked(written) ? written : { done: route };
}

/** A route, and what the adapters that all serve it say of it. */
export interface ServedEverywhere {
  readonly route: Route;
  readonly states: readonly AdapterState[];
}

/**
 * A change of the adapters brings the source back at once; that one of them caught up, or is within reach again, does not
 * show.
 */
const WAIT_FOR_ADAPTERS: Retry = { when: 'backoff', longestMs: 30_000, wokenBy: 'adapters' };

/** Adapters are told of a route within milliseconds: it is not left to another look whether they serve it. */
const SOON_MS = [10, 20, 40, 80, 160];

/** Whether every ready adapter serves the route as it was published, now or in a moment. */
export async function routeServed(
  route: Route,
  { cluster }: { readonly cluster: Pick<Cluster, 'adapterStates'> },
): Promise<Step<ServedEverywhere>> {
  let states = await cluster.adapterStates(route.uid);
  for (const ms of SOON_MS) {
    if (!states.some((state) => !state.silent && isBehind(state, route))) break;
    await sleep(ms);
    states = await cluster.adapterStates(route.uid);
  }
  if (states.length === 0) {
    return blocked('MissingReceiveAdapter', 'no adapter is ready: see why its pods are not', WAIT_FOR_ADAPTERS);
  }
  const behind = states.filter((state) => isBehind(state, route)).length;
  if (behind === 0) return { done: { route, states } };
  const silent = states.filter((state) => state.silent).length;
  const why = silent === 0 ? '' : `; ${silent} did not answer the controller on the internal port`;
  const message = `${behind} of ${states.length} adapters do not serve this source as it is now yet${why}`;
  return blocked('RouteNotServed', message, WAIT_FOR_ADAPTERS, 'Unknown');
}

function isBehind({ generation }: AdapterState, route: Route): boolean {
  return (generation ?? 0) < route.generation;
}
