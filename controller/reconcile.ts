import { isDeepStrictEqual } from 'node:util';
import type { Route } from '../core/route.ts';
import type { SourceDefinition } from '../sources/contract.ts';
import { namesOf } from '../sources/crd.ts';
import { announcementsOf } from './announcements.ts';
import type { Announcement } from './cluster.ts';
import type { ReconcileDeps } from './deps.ts';
import { type Facts, obstaclesIn } from './facts.ts';
import { finalizeSource } from './finalize.ts';
import { manualHookOf } from './manual-hook.ts';
import type { ObjectReference, SourceObject } from './objects.ts';
import { publishRoute, type RouteInput, routeServed, withdrawSink } from './publish-route.ts';
import { ensureReceiveAdapter } from './receive-adapter.ts';
import { readSecrets } from './secrets.ts';
import { resolveSinks } from './sink.ts';
import { computeStatus } from './status.ts';
import { blocked, isBlocked, type Retry } from './step.ts';
import { ensureWebhook, leftoverNote, recordFor, releaseWebhooks, removeWebhooks } from './webhook.ts';

/** Makes the cluster and the provider match one source object. Resolves to when to look again; undefined: never. */
export async function reconcileSource(reference: ObjectReference, deps: ReconcileDeps): Promise<Retry | undefined> {
  const lookup = await deps.cluster.get(reference);
  const definition = deps.definitionOf(reference.kind);
  if (lookup.found !== 'object' || !definition) return undefined;
  // Its kind is a source's, so the API server held it against that schema.
  const object = lookup.object as SourceObject;
  if (object.metadata.deletionTimestamp !== undefined) return finalizeSource(object, definition, deps);
  const source = await ensureFinalizer(object, definition, deps);
  const facts = await establishFacts(source, definition, deps);
  const status = computeStatus(source, facts, deps.now());
  for (const announcement of announcementsOf(source, facts, status)) await deps.cluster.announce(source, announcement);
  if (!isDeepStrictEqual(source.status, status)) await deps.cluster.writeStatus(source, status);
  return retryAfter(facts, deps);
}

async function ensureFinalizer(source: SourceObject, definition: SourceDefinition, { cluster }: ReconcileDeps) {
  const finalizer = namesOf(definition).crd;
  return source.metadata.finalizers?.includes(finalizer) ? source : cluster.addFinalizer(source, finalizer);
}

/** The steps for one source, in order; one that must wait ends the round. */
async function establishFacts(source: SourceObject, definition: SourceDefinition, deps: ReconcileDeps): Promise<Facts> {
  const plan = (await definition.loadSpec()).planOf(source.spec);
  const secrets = await readSecrets(source, plan, deps.objects);
  const sinks = await resolveSinks(source, deps);
  if (isBlocked(sinks)) {
    if (sinks.sinkGone) await withdrawSink(source, deps);
    return { plan, secrets, sinks };
  }
  if (isBlocked(secrets)) return { plan, secrets, sinks };
  const adapter = ensureReceiveAdapter(source, plan, definition, deps.adapter);
  if (isBlocked(adapter)) return { plan, secrets, sinks, deployed: adapter };
  const input: RouteInput = { source, plan, secrets: secrets.done, sinks: sinks.done };
  const served = await routeServed(await publishRoute(input, false, deps), deps);
  const { address } = adapter.done;
  const webhookURL = isBlocked(address) ? undefined : address.done;
  const found = { plan, secrets, sinks, webhookURL };
  if (isBlocked(served)) return { ...found, deployed: served };
  if (isBlocked(address)) return { ...found, deployed: address };
  const hook = await hookFacts(input, { url: address.done, route: served.done, definition }, deps);
  // The provider has the present secret: those it replaced now have an end.
  const route = isBlocked(hook.webhook) ? served.done : await publishRoute(input, true, deps);
  return { ...found, deployed: { done: route, note: adapter.note }, ...hook };
}

interface HookInput {
  readonly url: string;
  readonly route: Route;
  readonly definition: SourceDefinition;
}

type HookFacts = Pick<Facts, 'manualHook' | 'hooks' | 'leftover'> & { readonly webhook: NonNullable<Facts['webhook']> };

async function hookFacts(input: RouteInput, hook: HookInput, deps: ReconcileDeps): Promise<HookFacts> {
  const { accessToken } = input.secrets;
  return accessToken === undefined
    ? manualHookFacts(input, hook, deps)
    : managedHookFacts(input, accessToken, hook, deps);
}

/** The user makes the webhook; those made before are the user's from now on. */
async function manualHookFacts(
  { source, plan }: RouteInput,
  { url, route }: HookInput,
  deps: ReconcileDeps,
): Promise<HookFacts> {
  await releaseWebhooks(source, plan, deps.cluster);
  const states = await deps.cluster.adapterStates(source.metadata.uid);
  const wanted = { webhookURL: url, secretVersion: route.secretTokens[0]?.version ?? '' };
  const manualHook = manualHookOf(source.status?.manualHook, wanted, states, deps.now());
  if (manualHook.firstDelivery) return { manualHook, hooks: [], webhook: { done: undefined } };
  const message = `make a webhook at the provider with URL ${url}, content type application/json and the value of spec.secretToken as its secret; its first delivery makes the source ready`;
  const webhook = blocked('WaitingForDelivery', message, { when: 'after', ms: deps.firstDeliveryPollMs }, 'Unknown');
  return { manualHook, hooks: [], webhook };
}

/** The webhook that should be, and then the end of those that should not: of an earlier owner, repository or API. */
async function managedHookFacts(
  { source, plan }: RouteInput,
  accessToken: string,
  { url, route, definition }: HookInput,
  deps: ReconcileDeps,
): Promise<HookFacts> {
  const announce = (announcement: Announcement) => deps.cluster.announce(source, announcement);
  const webhookDeps = { webhooks: await definition.loadWebhookApi(), tokens: deps.tokens, announce };
  const [present] = route.secretTokens;
  const secret = { value: present?.value ?? '', version: present?.version ?? '' };
  const webhook = await ensureWebhook({ source, plan, accessToken, url, secret }, webhookDeps);
  if (isBlocked(webhook)) return { webhook };
  const old = (source.status?.hooks ?? []).filter((hook) => hook !== recordFor(plan, source));
  const access = { uid: source.metadata.uid, api: plan.hook.api, accessToken };
  const removal = await removeWebhooks(old, access, webhookDeps);
  const note = leftoverNote(removal);
  return { webhook: { ...webhook, note }, hooks: [webhook.done, ...removal.left], leftover: note !== undefined };
}

function retryAfter(facts: Facts, { hookCheckMs, now }: ReconcileDeps): Retry {
  const [obstacle] = obstaclesIn(facts);
  if (obstacle) return obstacle.retry;
  if (facts.leftover) return { when: 'backoff' };
  return { when: 'after', ms: Math.min(hookCheckMs * (0.9 + Math.random() * 0.2), nextExpiry(facts, now())) };
}

/** Until a replaced secret is to leave the route. */
function nextExpiry({ deployed }: Facts, now: Date): number {
  const tokens = deployed && !isBlocked(deployed) ? deployed.done.secretTokens : [];
  const times = tokens.flatMap(({ validUntil }) => (validUntil ? [Date.parse(validUntil) - now.getTime()] : []));
  return Math.max(0, Math.min(...times, Number.POSITIVE_INFINITY));
}
