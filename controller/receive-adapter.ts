import { isLoopback } from '../core/address-guard.ts';
import { deliveryPolicyOf } from '../core/delivery-policy.ts';
import type { Route } from '../core/route.ts';
import type { SourceDefinition, SourcePlan } from '../sources/contract.ts';
import type { AdapterMode, AdapterModes } from './adapter-mode.ts';
import type { ChildDeps } from './children.ts';
import type { Cluster } from './cluster.ts';
import { ensureDedicatedAdapter } from './dedicated-adapter.ts';
import type { SourceObject } from './objects.ts';
import { baseAt, type PublicAddresses } from './public-addresses.ts';
import { type RouteInput, routeServed, type ServedEverywhere } from './publish-route.ts';
import { overridesOf, pathOf } from './resources/route.ts';
import { isBlocked, type Reason, type Step } from './step.ts';

export interface ReceiveAdapterConfig extends AdapterModes {
  /**
   * Base URL under which the provider whose API this is reaches the shared adapter; `api` undefined: the user makes the
   * webhook. undefined: the cluster may know one.
   */
  publicUrlFor(api: string | undefined): string | undefined;
  /** What a user can do when there is no such URL at all. */
  readonly publicUrlAdvice: string;
}

export interface ReceiveAdapterDeps extends ChildDeps {
  readonly cluster: Pick<Cluster, 'adapterStates'>;
  readonly adapter: ReceiveAdapterConfig;
  readonly addresses: PublicAddresses;
}

export interface ReceiveAdapter {
  readonly served: Step<ServedEverywhere>;
  /** The webhook's URL; without one no webhook is made, and the route is served all the same. */
  readonly address: Step<string>;
  readonly note: Reason | undefined;
}

/** The adapter that is to serve the source: whether it does, and where the provider finds it. */
export async function ensureReceiveAdapter(
  input: RouteInput & { readonly definition: SourceDefinition },
  route: Route,
  mode: AdapterMode,
  deps: ReceiveAdapterDeps,
): Promise<Step<ReceiveAdapter>> {
  const { source, plan, definition } = input;
  const found = await (mode === 'dedicated' ? dedicated(input, route, deps) : shared(input, route, deps));
  if (isBlocked(found)) return found;
  const { served, base, note } = found.done;
  const url = isBlocked(base) ? undefined : base.done;
  return {
    done: {
      served,
      address: isBlocked(base) ? base : { done: withScheme(base.done, plan.secure) + pathOf(source) },
      note: noteOn(source, definition) ?? noteOnScheme(url, plan) ?? note,
    },
  };
}

interface Found {
  readonly served: Step<ServedEverywhere>;
  readonly base: Step<string>;
  readonly note?: Reason | undefined;
}

async function shared({ plan }: RouteInput, route: Route, deps: ReceiveAdapterDeps): Promise<Step<Found>> {
  const { adapter, addresses } = deps;
  const url = adapter.publicUrlFor(plan.accessToken && plan.hook.api);
  const why = `${plan.hook.api} cannot reach this adapter: ${adapter.publicUrlAdvice}`;
  const base = url === undefined ? baseAt(await addresses.of(addresses.shared), why) : { done: url };
  return { done: { served: await routeServed(route, deps), base } };
}

/** A rollout that is complete has the route; its replicas are asked only for what nobody else knows. */
async function dedicated({ source, plan }: RouteInput, route: Route, deps: ReceiveAdapterDeps): Promise<Step<Found>> {
  const { dedicated: settings } = deps.adapter;
  if (typeof settings === 'string') throw new Error('no settings for the adapter of one source');
  const adapter = await ensureDedicatedAdapter(source, route, settings, deps);
  if (isBlocked(adapter)) return adapter;
  const { serves, base, note } = adapter.done;
  if (isBlocked(serves)) return { done: { served: serves, base, note } };
  const states = plan.accessToken ? [] : await deps.children.statesOf(source);
  return { done: { served: { done: { route, states } }, base, note } };
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
    const faults = unusable.map(({ name, why }) => `"${name}" ${why}`).join('; ');
    const message = `of ceOverrides.extensions some are not sent, rename or remove them: ${faults}`;
    return { reason: 'OverridesNotSent', message };
  }
  const { retries, backoffMs } = deliveryPolicyOf(spec.delivery ?? {});
  const waits = Array.from({ length: retries }, (_, index) => backoffMs(index)).reduce((sum, wait) => sum + wait, 0);
  if (waits < replyBudgetMs) return undefined;
  const seconds = (ms: number) => (ms < 86_400_000 ? `${Math.round(ms / 100) / 10} s` : 'days');
  const message = `spec.delivery waits ${seconds(waits)} between its attempts, but the provider waits ${seconds(replyBudgetMs)} for a reply: retries end then`;
  return { reason: 'DeliveryCutShort', message };
}
