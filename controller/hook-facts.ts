import type { SourceDefinition } from '../sources/contract.ts';
import { letsGo } from './abandon-hook.ts';
import { claimOf, ownHost } from './claim.ts';
import type { Announcement } from './cluster.ts';
import type { ReconcileDeps } from './deps.ts';
import type { Facts } from './facts.ts';
import { checkAgain } from './hook-check.ts';
import { waitForTurn } from './hook-moves.ts';
import { oldRecords, recordFor } from './hook-records.ts';
import { firstDeliveryPollMs, manualHookOf } from './manual-hook.ts';
import type { HookRecord, SourceObject } from './objects.ts';
import type { RouteInput, ServedEverywhere } from './publish-route.ts';
import { blocked, isBlocked, type Retry } from './step.ts';
import { type EnsureDeps, type EnsuredWebhook, ensureWebhook, sooner, type WebhookInput } from './webhook.ts';
import { type Removal, removeWebhooks } from './webhook-removal.ts';

export interface HookInput {
  readonly url: string;
  readonly served: ServedEverywhere;
  readonly definition: SourceDefinition;
}

export type HookFacts = Pick<Facts, 'manualHook' | 'hooks' | 'again'> & {
  readonly webhook: NonNullable<Facts['webhook']>;
};

/** The webhook of a source whose route is served: made by us, or by its user. */
export async function hookFacts(input: RouteInput, hook: HookInput, deps: ReconcileDeps): Promise<HookFacts> {
  if (input.plan.problems.length > 0) return { webhook: blocked('CreationFailed', input.plan.problems.join('; ')) };
  const { accessToken } = input.secrets;
  const { source } = input;
  const announce = (announcement: Announcement) => deps.cluster.announce(source, announcement);
  const oldServices = await deps.oldServices.of(source, hook.definition);
  const webhookDeps: EnsureDeps = {
    webhooks: await deps.webhooksOf(hook.definition),
    tokens: deps.tokens,
    firstLooks: deps.firstLooks,
    announce,
    isOurs: claimOf(source, oldServices, await ownHost(source, deps)),
    now: deps.now,
    hookCheckMs: deps.hookCheckMs,
  };
  const facts = await (accessToken === undefined
    ? manualHookFacts(input, hook, deps)
    : managedHookFacts({ ...input, accessToken, url: hook.url }, hook.served, webhookDeps, deps));
  // Not a moment earlier: until now they may have been what received.
  if (!isBlocked(facts.webhook)) await deps.oldServices.remove(source, oldServices, announce);
  return deps.oldServices.mayRemain(source, hook.definition) ? { ...facts, again: wholeLook(facts.again) } : facts;
}

/** At the same time, and no comparison of the webhook alone. */
function wholeLook(again: Retry | undefined): Retry | undefined {
  return again?.when === 'after' ? { when: 'after', ms: again.ms } : again;
}

/** The user makes the webhook; those made before are the user's from now on. */
async function manualHookFacts(
  { source, plan }: RouteInput,
  { url, served: { route, states } }: HookInput,
  deps: ReconcileDeps,
): Promise<HookFacts> {
  const own = recordFor(plan, source);
  for (const hook of source.status?.hooks ?? []) await releaseHook(source, hook, hook === own, deps);
  const wanted = {
    webhookURL: url,
    secretVersion: route.secretTokens[0]?.version ?? '',
    routeGeneration: route.generation,
  };
  const now = deps.now();
  const manualHook = manualHookOf(source.status?.manualHook, wanted, states, now);
  if (manualHook.firstDelivery) return { manualHook, hooks: [], webhook: { done: undefined } };
  const message = `make a webhook at the provider with URL ${url}, content type application/json and the value of spec.secretToken as its secret; its first delivery makes the source ready`;
  const ms = firstDeliveryPollMs(manualHook.since, now, deps.firstDeliveryPoll);
  const webhook = blocked('WaitingForDelivery', message, { when: 'after', ms }, 'Unknown');
  return { manualHook, hooks: [], webhook };
}

/** Without access token nothing can be removed: the webhook for this spec is the user's now, any other is left behind. */
async function releaseHook(
  source: SourceObject,
  hook: HookRecord,
  isOwn: boolean,
  { cluster }: ReconcileDeps,
): Promise<void> {
  const message = `webhook ${hook.id} of ${hook.repository} is yours to manage, since spec.accessToken is gone`;
  await cluster.announce(source, { type: isOwn ? 'Normal' : 'Warning', reason: 'WebhookReleased', message });
  if (!isOwn) await cluster.recordOrphan(source, hook);
}

/** The webhook that should be, and then the end of those that should not. */
async function managedHookFacts(
  { source, plan, accessToken, url }: RouteInput & Pick<WebhookInput, 'accessToken' | 'url'>,
  { route }: ServedEverywhere,
  webhookDeps: EnsureDeps,
  deps: ReconcileDeps,
): Promise<HookFacts> {
  const waiting = waitForTurn({ source, plan, url }, deps);
  if (waiting) return { webhook: waiting };
  const [present] = route.secretTokens;
  const secret = { value: present?.value ?? '', version: present?.version ?? '' };
  const webhook = await ensureWebhook({ source, plan, accessToken, url, secret }, webhookDeps);
  if (isBlocked(webhook)) {
    const { attempted } = webhook;
    if (!attempted) return { webhook };
    const others = (source.status?.hooks ?? []).filter((hook) => hook !== recordFor(plan, source));
    return { webhook, hooks: [attempted, ...others] };
  }
  const old = oldRecords({ plan, source }, webhook.done);
  const removal = await removeWebhooks(old, { source, api: plan.hook.api, accessToken }, webhookDeps);
  const facts = await withLeftovers(source, webhook, removal, deps);
  // What is said beside it is to be said no longer than it is so: a whole look finds out.
  if (facts.again || webhook.note) return facts;
  const { isOurs } = webhookDeps;
  const access = { ...plan.hook, token: accessToken };
  const desired = { url, eventTypes: plan.eventTypes };
  const hook = { uid: source.metadata.uid, access, isOurs, id: webhook.done.id, desired };
  return { ...facts, again: checkAgain(hook, webhookDeps, webhook.compareMs) };
}

/** What of an earlier owner or API could not be removed is said beside the webhook that is there, unless it is let go. */
async function withLeftovers(
  source: SourceObject,
  present: Extract<EnsuredWebhook, { done: HookRecord }>,
  { left, faults, retry }: Removal,
  { cluster }: ReconcileDeps,
): Promise<HookFacts> {
  const { done, note, again } = present;
  if (left.length > 0 && !letsGo(source)) {
    const remains = { reason: 'OldWebhookRemains', message: faults.join('; ') };
    return { webhook: { done, note: remains }, hooks: [done, ...left], again: retry && sooner(again, retry) };
  }
  for (const hook of left) await cluster.recordOrphan(source, hook);
  for (const message of faults)
    await cluster.announce(source, { type: 'Warning', reason: 'WebhookDeletionSkipped', message });
  return { webhook: { done, note }, hooks: [done], again };
}
