import type { AuthenticDelivery } from '../core/route.ts';
import type { AdapterState } from './cluster.ts';
import type { ManualHook } from './objects.ts';

/**
 * A source without access token: its user makes the webhook, and the first authentic delivery shows that it is there.
 * That is remembered (adapters forget) until the URL or the secret changes. `states`: of adapters that all serve the
 * present secret, as the first of the route's.
 */
export function manualHookOf(
  previous: ManualHook | undefined,
  wanted: Pick<ManualHook, 'webhookURL' | 'secretVersion' | 'routeGeneration'>,
  states: readonly AdapterState[],
  now: Date,
): ManualHook {
  const { webhookURL, secretVersion } = wanted;
  const isSame = previous?.webhookURL === webhookURL && previous.secretVersion === secretVersion;
  if (!isSame) return { ...wanted, since: now.toISOString() };
  if (previous.firstDelivery) return previous;
  const seen = states.find(({ lastAuthentic }) => lastAuthentic && counts(lastAuthentic, previous));
  return seen?.lastAuthentic ? { ...previous, firstDelivery: seen.lastAuthentic.time } : previous;
}

/** Signed with the first secret of a route in which that is the present one, since it is waited for. */
function counts({ secretToken, generation, time }: AuthenticDelivery, { routeGeneration, since }: ManualHook): boolean {
  return secretToken === 0 && generation >= routeGeneration && Date.parse(time) >= Date.parse(since);
}

/** How often adapters are asked for the first delivery, in milliseconds. */
export interface FirstDeliveryPoll {
  readonly leastMs: number;
  readonly longestMs: number;
}

const PART_OF_WAIT = 60;

/**
 * Until they are asked again: a sixtieth of the time it is waited for already, so that nobody waits much longer for the
 * answer, and a source that is forgotten costs little.
 */
export function firstDeliveryPollMs(since: string, now: Date, { leastMs, longestMs }: FirstDeliveryPoll): number {
  const waitedMs = now.getTime() - Date.parse(since);
  return Math.min(Math.max(waitedMs / PART_OF_WAIT, leastMs), longestMs);
}
