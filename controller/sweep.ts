import type { Cluster, PublishedRoute } from './cluster.ts';
import type { ObjectKind } from './objects.ts';

export interface SweepDeps {
  readonly cluster: Pick<Cluster, 'get' | 'publishedRoutes' | 'removeRoute'>;
  /** The kinds of sources this controller serves. */
  readonly kinds: readonly ObjectKind[];
}

/**
 * Removes routes whose source is gone without having passed its finalizer, as after a restore or when somebody took the
 * finalizer away. Resolves to what was removed. Only what the API server itself says is gone is removed: a kind whose
 * definition is away, or that may not be read, says nothing about its objects.
 */
export async function sweepRoutes({ cluster, kinds }: SweepDeps): Promise<readonly PublishedRoute[]> {
  const removed: PublishedRoute[] = [];
  for (const route of await cluster.publishedRoutes()) {
    const kind = kinds.find((one) => one.kind === route.kind);
    if (!kind) continue;
    const { namespace, name } = route;
    const lookup = await cluster.get({ ...kind, namespace, name });
    const isGone =
      lookup.found === 'no-object' || (lookup.found === 'object' && lookup.object.metadata.uid !== route.uid);
    if (!isGone) continue;
    await cluster.removeRoute(route.uid);
    removed.push(route);
  }
  return removed;
}
