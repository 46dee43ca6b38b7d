import type { AdapterState } from './cluster.ts';
import type { ManualHook } from './objects.ts';

/**
 * A source without access token: its user makes the webhook, and the first authentic delivery shows that it is there.
 * That is remembered (adapters forget) until the URL or the secret changes. `states`: of adapters that all serve the
 * present secret, as the first of the route's.
 */
export function manualHookOf(
  previous: ManualHook | undefined,
  wanted: { readonly webhookURL: string; readonly secretVersion: string },
  states: readonly AdapterState[],
  now: Date,
): ManualHook {
  const { webhookURL, secretVersion } = wanted;
  const isSame = previous?.webhookURL === webhookURL && previous.secretVersion === secretVersion;
  if (!isSame) return { webhookURL, secretVersion, since: now.toISOString() };
  if (previous.firstDelivery) return previous;
  const seen = states.find(
    ({ lastAuthentic }) =>
      lastAuthentic?.secretToken === 0 && Date.parse(lastAuthentic.time) >= Date.parse(previous.since),
  );
  return seen?.lastAuthentic ? { ...previous, firstDelivery: seen.lastAuthentic.time } : previous;
}
