import type { AccessTokens } from './access-tokens.ts';
import { type DesiredRecord, rightRecord } from './hook-records.ts';
import { conditionOf, type HookRecord } from './objects.ts';
import type { Reason } from './step.ts';

/**
 * When a webhook that was as it should be before this process began is first compared with the provider's: at a random
 * moment of a while. A new leader knows no list of webhooks; asked for all at once, they would use up the quota.
 */
export class FirstLooks {
  readonly #withinMs: number;
  readonly #plans = new Map<string, { readonly madeAt: number; readonly ms: number }>();

  /** 0: at once. */
  constructor(withinMs: number) {
    this.#withinMs = withinMs;
  }

  /** Milliseconds until the first look at this source; 0: it is time, or has been. */
  waitMs(uid: string, now: Date): number {
    const time = now.getTime();
    const plan = this.#plans.get(uid) ?? { madeAt: time, ms: Math.random() * this.#withinMs };
    this.#plans.set(uid, plan);
    // A clock that was set back must not put it off.
    return time < plan.madeAt ? 0 : Math.max(0, plan.ms - (time - plan.madeAt));
  }

  /** There was one. */
  made(uid: string): void {
    this.#plans.set(uid, { madeAt: 0, ms: 0 });
  }

  forget(uid: string): void {
    this.#plans.delete(uid);
  }
}

interface FirstLookDeps {
  readonly firstLooks: FirstLooks;
  readonly tokens: AccessTokens;
  readonly now: () => Date;
}

/** The webhook as status has it, where it is the only one, as it should be, and not yet to be compared. */
export function putOff(
  desired: DesiredRecord & { readonly accessToken: string },
  { firstLooks, tokens, now }: FirstLookDeps,
): { readonly done: HookRecord; readonly note: Reason | undefined; readonly compareMs: number } | undefined {
  const { source, accessToken } = desired;
  const { uid } = source.metadata;
  const done = rightRecord(desired);
  if (!done || source.status?.hooks?.length !== 1) return undefined;
  // Another access token is tried at once. The first is taken for good, as it was: nobody has a better one.
  const known = tokens.find(uid, done.api) ?? accessToken;
  const ms = known === accessToken ? firstLooks.waitMs(uid, now()) : 0;
  if (ms === 0) return undefined;
  tokens.remember(uid, done.api, accessToken);
  const { reason, message = '' } = conditionOf(source, 'WebhookConfigured') ?? {};
  return { done, note: reason === undefined ? undefined : { reason, message }, compareMs: ms };
}
