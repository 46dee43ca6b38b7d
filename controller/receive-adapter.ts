import { isLoopback } from '../core/address-guard.ts';
import { deliveryPolicyOf } from '../core/delivery-policy.ts';
import type { SourceDefinition, SourcePlan } from '../sources/contract.ts';
import type { SourceObject } from './objects.ts';
import { overridesOf, pathOf } from './resources/route.ts';
import { blocked, type Reason, type Step } from './step.ts';

export interface ReceiveAdapterConfig {
  /** `shared`: a source that asks for an adapter of its own is served by the shared one. */
  readonly dedicated: 'refused' | 'shared';
  /**
   * Base URL under which the provider whose API this is reaches the adapter; `api` undefined: the user makes the webhook.
   * undefined: there is none.
   */
  publicUrlFor(api: string | undefined): string | undefined;
  /** What a user can do when there is no such URL; a sentence. */
  readonly publicUrlAdvice: string;
}

export interface ReceiveAdapter {
  /** The webhook's URL; without one no webhook is made, and the route is served all the same. */
  readonly address: Step<string>;
}

/** Which adapter serves the source, and where the provider finds it. */
export function ensureReceiveAdapter(
  source: SourceObject,
  plan: SourcePlan,
  definition: SourceDefinition,
  config: ReceiveAdapterConfig,
): Step<ReceiveAdapter> {
  if (source.spec.adapter?.mode === 'dedicated' && config.dedicated === 'refused') {
    return blocked('DedicatedNotEnabled', 'this install has no dedicated adapters: set spec.adapter.mode to shared');
  }
  const base = config.publicUrlFor(plan.accessToken && plan.hook.api);
  const note = noteOn(source, definition) ?? noteOnScheme(base, plan);
  if (base !== undefined) return { done: { address: { done: withScheme(base, plan.secure) + pathOf(source) } }, note };
  const message = `${plan.hook.api} cannot reach this adapter: ${config.publicUrlAdvice}`;
  return { done: { address: blocked('NoPublicAddress', message) }, note };
}

/** On loopback nothing stands before the adapter that could speak TLS for it. */
function withScheme(base: string, secure: boolean | undefined): string {
  const bare = base.replace(/\/+$/, '');
  return secure === undefined || isLoopback(base) ? bare : bare.replace(/^https?:/, secure ? 'https:' : 'http:');
}

function noteOnScheme(base: string | undefined, { secure }: SourcePlan): Reason | undefined {
  const isKept = base !== undefined && isLoopback(base) && secure !== undefined && base.startsWith('https:') !== secure;
  if (!isKept) return undefined;
  return { reason: 'SecureNotHonoured', message: `spec.secure changes nothing here: only ${base} answers` };
}

/** What the adapter will do otherwise than the spec says. */
function noteOn({ spec }: SourceObject, { replyBudgetMs }: SourceDefinition): Reason | undefined {
  const { unusable } = overridesOf({ spec });
  if (unusable.length > 0) {
    const message = `ceOverrides.extensions are not sent where a name is not of letters and digits, or is a required attribute: ${unusable.join(', ')}`;
    return { reason: 'OverridesNotSent', message };
  }
  const { retries, backoffMs } = deliveryPolicyOf(spec.delivery ?? {});
  const waits = Array.from({ length: retries }, (_, index) => backoffMs(index)).reduce((sum, wait) => sum + wait, 0);
  if (waits < replyBudgetMs) return undefined;
  const seconds = (ms: number) => (ms < 86_400_000 ? `${Math.round(ms / 100) / 10} s` : 'days');
  const message = `spec.delivery waits ${seconds(waits)} between its attempts, but the provider waits ${seconds(replyBudgetMs)} for a reply: retries end then`;
  return { reason: 'DeliveryCutShort', message };
}
