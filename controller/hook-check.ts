import { createHash } from 'node:crypto';
import { RemoteApiError } from '../core/remote-api-error.ts';
import type { Claim, DesiredHook, HookAccess } from '../sources/contract.ts';
import type { Retry } from './step.ts';
import type { EnsureDeps } from './webhook.ts';

/** Kept for each source: nothing of it may hold on to the object of the source, or to the value of a webhook secret. */
export interface CheckedHook {
  /** Of the source. */
  readonly uid: string;
  readonly access: HookAccess;
  readonly isOurs: Claim;
  readonly id: string;
  readonly desired: Omit<DesiredHook, 'secret'>;
}

type CheckDeps = Pick<EnsureDeps, 'webhooks' | 'firstLooks' | 'now' | 'hookCheckMs'>;

/** When a webhook that is as it should be is next compared with the provider's; `firstMs`: until the first time, where that is known. */
export function checkAgain(hook: CheckedHook, deps: CheckDeps, firstMs?: number): Retry {
  const { webhooks, firstLooks, now, hookCheckMs } = deps;
  const nextMs = () => untilTurnMs(hook.access, now(), hookCheckMs) + Math.random() * hookCheckMs * 0.1;
  const recheck = async (): Promise<Retry | undefined> => {
    const isStillSo = await compare(hook, { webhooks, firstLooks, now, hookCheckMs });
    return isStillSo ? { when: 'after', ms: nextMs(), recheck } : undefined;
  };
  return { when: 'after', ms: firstMs ?? nextMs(), recheck };
}

/**
 * Milliseconds until the turn of a repository or organization comes again, at least half of an interval: all its sources are
 * compared then, so that its list is read once an interval, and the turns of all are spread over it.
 */
export function untilTurnMs({ api, repository }: Omit<HookAccess, 'token'>, now: Date, intervalMs: number): number {
  const digest = createHash('sha256').update(`${api} ${repository}`.toLowerCase()).digest();
  const turn = (digest.readUInt32BE() / 2 ** 32) * intervalMs;
  const left = intervalMs - ((now.getTime() - turn) % intervalMs);
  return left < intervalMs / 2 ? left + intervalMs : left;
}

/** Varied by a tenth: sources that were made together are not looked at together for ever. */
export function usualMs({ hookCheckMs }: Pick<EnsureDeps, 'hookCheckMs'>): number {
  return hookCheckMs * (0.9 + Math.random() * 0.2);
}

/** Resolves to false also where the provider did not say: why is for a whole look to find out. */
async function compare({ uid, access, isOurs, id, desired }: CheckedHook, deps: CheckDeps): Promise<boolean> {
  const { webhooks, firstLooks, now, hookCheckMs } = deps;
  try {
    const [hook, ...others] = await webhooks.observe(access, isOurs, new Date(now().getTime() - hookCheckMs / 2));
    firstLooks.made(uid);
    return hook?.id === id && others.length === 0 && hook.isAsDesired(desired);
  } catch (error) {
    if (error instanceof RemoteApiError) return false;
    throw error;
  }
}
