import type { AuthenticDelivery } from '../core/route.ts';
import type { AdapterState } from './cluster.ts';

const TIMEOUT_MS = 3000;

interface StateReply {
  readonly ready: boolean;
  readonly routes: readonly { readonly generation: number; readonly lastAuthentic: AuthenticDelivery | null }[];
}

/** Said to be ready by the cluster, but it does not say so itself. */
const SILENT: AdapterState = { generation: undefined, lastAuthentic: undefined, silent: true };

/** Of replicas that the cluster says are ready: each of them gets deliveries, so one that does not answer counts. */
export function statesOfReady(internalUrls: readonly string[], uid: string): Promise<AdapterState[]> {
  return Promise.all(internalUrls.map(async (url) => (await readAdapterState(url, uid)) ?? SILENT));
}

/** Of replicas of which nothing else is known: one that does not answer is not there. */
export async function statesOfAnswering(internalUrls: readonly string[], uid: string): Promise<AdapterState[]> {
  const states = await Promise.all(internalUrls.map((url) => readAdapterState(url, uid)));
  return states.filter((state) => state !== undefined);
}

/** What one replica of the adapter says of one route, at its internal port; undefined: it is not ready, or not there. */
export async function readAdapterState(internalUrl: string, uid: string): Promise<AdapterState | undefined> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const reply = await fetch(`${internalUrl}/state?uid=${encodeURIComponent(uid)}`, { signal, redirect: 'error' });
    const { ready, routes } = (await reply.json()) as StateReply;
    if (!reply.ok || !ready) return undefined;
    const [route] = routes;
    return { generation: route?.generation, lastAuthentic: route?.lastAuthentic ?? undefined };
  } catch {
    return undefined;
  }
}
