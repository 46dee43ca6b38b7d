import type { AuthenticDelivery } from '../core/route.ts';
import type { AdapterState } from './cluster.ts';

const TIMEOUT_MS = 3000;
/** So that their uids fit into the head of a request, which Node cuts at 16 KiB. */
const MOST_ROUTES = 200;

interface StateReply {
  readonly ready: boolean;
  readonly routes: readonly {
    readonly uid: string;
    readonly generation: number;
    readonly lastAuthentic: AuthenticDelivery | null;
  }[];
}

/** By uid; routes it does not have are absent. */
export type RouteStates = ReadonlyMap<string, AdapterState>;

/** `silent`: it let the time pass in which a replica that lives answers. */
export type ReplicaAnswer =
  | { readonly kind: 'ready'; readonly states: RouteStates }
  | { readonly kind: 'not-ready' | 'not-there' | 'silent' };

const NO_ROUTE: AdapterState = { generation: undefined, lastAuthentic: undefined };
/** Said to be ready by the cluster, but it does not say so itself. */
export const SILENT: AdapterState = { ...NO_ROUTE, silent: true };

/** Of replicas that the cluster says are ready: each of them gets deliveries, so one that does not answer counts. */
export function statesOfReady(internalUrls: readonly string[], uid: string): Promise<AdapterState[]> {
  return Promise.all(internalUrls.map(async (url) => stateIn(await readReplica(url, [uid]), uid) ?? SILENT));
}

/** undefined: the replica is not ready, or did not answer. */
export function stateIn(answer: ReplicaAnswer, uid: string): AdapterState | undefined {
  return answer.kind === 'ready' ? (answer.states.get(uid) ?? NO_ROUTE) : undefined;
}

/** What one replica of the adapter says of these routes, at its internal port. */
export async function readReplica(internalUrl: string, uids: readonly string[]): Promise<ReplicaAnswer> {
  const states = new Map<string, AdapterState>();
  let from = 0;
  do {
    const reply = await askFor(internalUrl, uids.slice(from, from + MOST_ROUTES));
    if (typeof reply === 'string') return { kind: reply };
    if (!reply.ready) return { kind: 'not-ready' };
    for (const { uid, generation, lastAuthentic } of reply.routes)
      states.set(uid, { generation, lastAuthentic: lastAuthentic ?? undefined });
    from += MOST_ROUTES;
  } while (from < uids.length);
  return { kind: 'ready', states };
}

async function askFor(internalUrl: string, uids: readonly string[]): Promise<StateReply | 'not-there' | 'silent'> {
  // Of no route, where only the replica itself is asked for.
  const query = uids.length === 0 ? 'uid=' : uids.map((uid) => `uid=${encodeURIComponent(uid)}`).join('&');
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const reply = await fetch(`${internalUrl}/state?${query}`, { signal, redirect: 'error' });
    const state = (await reply.json()) as StateReply;
    return reply.ok ? state : 'not-there';
  } catch {
    return signal.aborted ? 'silent' : 'not-there';
  }
}
