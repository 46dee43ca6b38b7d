import type { Route } from '../core/route.ts';
import type { SourcePlan } from '../sources/contract.ts';
import type { HookRecord, ManualHook } from './objects.ts';
import type { Secrets } from './secrets.ts';
import type { AuthorizedSinks } from './sink-tokens.ts';
import { type Blocked, isBlocked, type Retry, type Step } from './step.ts';

/** What one look at a source found out. Steps that were not come to are absent. */
export interface Facts {
  readonly plan: SourcePlan;
  readonly secrets?: Step<Secrets>;
  readonly sinks?: AuthorizedSinks;
  /** The route, served by every adapter; and that there is a public address. */
  readonly deployed?: Step<Route>;
  /** `undefined` inside: the user makes the webhook, and it is there. */
  readonly webhook?: Step<HookRecord | undefined>;
  readonly webhookURL?: string | undefined;
  readonly manualHook?: ManualHook | undefined;
  /** Webhooks made for this source and not yet removed; absent: as status has them. */
  readonly hooks?: readonly HookRecord[];
  /** Nothing keeps the source from being ready: when to look again, where that is not as always. */
  readonly again?: Retry | undefined;
}

/** What keeps the source from being ready, the first first. */
export function obstaclesIn({ secrets, sinks, deployed, webhook }: Facts): readonly Blocked[] {
  const steps: readonly (Step<unknown> | undefined)[] = [secrets, sinks, deployed, webhook];
  return steps.flatMap((step) => (step && isBlocked(step) ? [step.blocked] : []));
}
