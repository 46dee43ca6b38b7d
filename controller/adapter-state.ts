import type { AuthenticDelivery } from '../core/route.ts';
import type { AdapterState } from './cluster.ts';

const TIMEOUT_MS = 3000;

interface StateReply {
  readonly ready: boolean;
  readonly routes: readonly { readonly generation: number; readonly lastAuthentic: AuthenticDelivery | null }[];
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
