import { messageOf } from '../core/errors.ts';
import { parseRoute, type Route } from '../core/route.ts';
import type { AdapterMode } from './adapter-mode.ts';
import { type ChildDeps, ensureChild } from './children.ts';
import type { Cluster, Objects } from './cluster.ts';
import type { SourceObject } from './objects.ts';
import { adapterRoute, adapterRouteKey, adapterRouteName } from './resources/adapter-route.ts';
import { blocked, isBlocked, type Step } from './step.ts';

/** One place where a source's route may be published. */
export interface RouteShelf {
  read(): Promise<Route | undefined>;
  write(route: Route): Promise<Step<undefined>>;
}

/** `present`: for the adapter that is to serve the source; `other`: for the one that may have served it before. */
export interface RouteShelves {
  readonly present: RouteShelf;
  readonly other: RouteShelf;
}

export interface ShelfDeps extends ChildDeps {
  readonly cluster: Pick<Cluster, 'publishRoute'>;
  readonly objects: Pick<Objects, 'get' | 'readRoute' | 'readSecretKey'>;
}

export function shelvesOf(source: SourceObject, mode: AdapterMode, deps: ShelfDeps): RouteShelves {
  const shared = sharedShelf(source, deps);
  const own = ownShelf(source, deps);
  return mode === 'shared' ? { present: shared, other: own } : { present: own, other: shared };
}

/** The route that is published, wherever that is. */
export async function readPublished({ present, other }: RouteShelves): Promise<Route | undefined> {
  return (await present.read()) ?? other.read();
}

function sharedShelf({ metadata: { uid } }: SourceObject, { cluster, objects }: ShelfDeps): RouteShelf {
  return {
    read: () => objects.readRoute(uid),
    write: async (route) => {
      await cluster.publishRoute(route);
      return { done: undefined };
    },
  };
}

/** Beside the source's own adapter, in a Secret that users of the namespace may write as well. */
function ownShelf(source: SourceObject, deps: ShelfDeps): RouteShelf {
  const { objects } = deps;
  const { namespace } = source.metadata;
  const key = { name: adapterRouteName(source), key: adapterRouteKey(source) };
  return {
    read: async () => {
      const found = await objects.readSecretKey(namespace, key);
      return found.found === 'value' ? routeIn(found.value, source) : undefined;
    },
    write: async (route) => {
      const fault = faultOf(route);
      if (fault !== undefined) return blocked('RouteInvalid', fault);
      const written = await ensureChild(source, adapterRoute(source, route), deps);
      return isBlocked(written) ? written : { done: undefined };
    },
  };
}

/** What is no route any more, or another source's, is written anew. */
function routeIn(text: string, { metadata: { uid } }: SourceObject): Route | undefined {
  if (faultOf(text) !== undefined) return undefined;
  const route = JSON.parse(text) as Route;
  return route.uid === uid ? route : undefined;
}

function faultOf(route: Route | string): string | undefined {
  try {
    parseRoute(typeof route === 'string' ? route : JSON.stringify(route));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
