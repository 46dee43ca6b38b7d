import type { AdapterMode } from './adapter-mode.ts';
import type { AdapterMoves } from './adapter-moves.ts';
import type { ChildDeps } from './children.ts';
import type { Cluster } from './cluster.ts';
import { hasOldDeployment, removeDedicatedAdapter } from './dedicated-adapter.ts';
import type { SourceObject } from './objects.ts';
import type { RouteShelves } from './route-shelves.ts';
import type { Retry } from './step.ts';

export interface LeavingDeps extends ChildDeps {
  readonly cluster: Pick<Cluster, 'removeRoute' | 'announce'>;
  readonly moves: AdapterMoves;
}

/** The webhook points at the adapter of this mode: the end of the one that served before. Resolves to when to look again. */
export async function leaveOtherAdapter(
  source: SourceObject,
  mode: AdapterMode,
  { other }: RouteShelves,
  deps: LeavingDeps,
): Promise<Retry | undefined> {
  const { uid } = source.metadata;
  const hasOtherRoute = (await other.read()) !== undefined;
  const isServedTwice = hasOtherRoute || (mode === 'dedicated' && (await hasOldDeployment(source, deps)));
  const ms = isServedTwice ? deps.moves.leftFor(uid, mode) : 0;
  if (ms > 0) return { when: 'after', ms };
  deps.moves.forget(uid);
  if (mode === 'dedicated' && hasOtherRoute) await deps.cluster.removeRoute(uid);
  if (mode === 'shared' && !isServedTwice) return undefined;
  const fault = await removeDedicatedAdapter(source, mode === 'shared', deps);
  if (fault === undefined) return undefined;
  const message = `an adapter that served this source before is not needed any more, but stays: ${fault}`;
  await deps.cluster.announce(source, { type: 'Warning', reason: 'OldReceiveAdapterRemains', message });
  return { when: 'after', ms: 600_000 };
}
