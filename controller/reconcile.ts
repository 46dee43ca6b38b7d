import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../core/errors.ts';
import type { Route } from '../core/route.ts';
import type { SourceDefinition, SourcePlan } from '../sources/contract.ts';
import { namesOf } from '../sources/crd.ts';
import { type AdapterMode, modeOf } from './adapter-mode.ts';
import { SourceRefusedError } from './admission-error.ts';
import { announcementsOf, secretRotated } from './announcements.ts';
import type { ReconcileDeps } from './deps.ts';
import { type Facts, obstaclesIn } from './facts.ts';
import { finalizeSource } from './finalize.ts';
import { usualMs } from './hook-check.ts';
import { hookFacts } from './hook-facts.ts';
import { leaveOtherAdapter } from './leave-other-adapter.ts';
import type { ObjectReference, SourceObject } from './objects.ts';
import { publishRoute, type RouteInput, updateSinks } from './publish-route.ts';
import { ensureReceiveAdapter } from './receive-adapter.ts';
import { type RouteShelves, readPublished, shelvesOf } from './route-shelves.ts';
import { readSecrets } from './secrets.ts';
import { resolveSinks } from './sink.ts';
import { authorizeSinks, publishedSinks } from './sink-tokens.ts';
import { computeStatus } from './status.ts';
import { type Blocked, blocked, FORBIDDEN_RETRY, isBlocked, type Retry, type Step } from './step.ts';
import { stepAside } from './step-aside.ts';
import { sooner } from './webhook.ts';

/** Makes the cluster and the provider match one source object. Resolves to when to look again; undefined: never. */
export async function reconcileSource(reference: ObjectReference, deps: ReconcileDeps): Promise<Retry | undefined> {
  const lookup = await deps.cluster.get(reference);
  const definition = deps.definitionOf(reference.kind);
  // An API server that starts may not know its kinds, or who may do what, for a moment.
  if (lookup.found === 'no-kind') return { when: 'backoff' };
  if (lookup.found === 'forbidden') return FORBIDDEN_RETRY;
  // Its kind is a source's, so the API server held it against that schema.
  const object = lookup.found === 'object' ? (lookup.object as SourceObject) : undefined;
  const retry = object && definition && (await serve(object, definition, deps));
  if (retry) return retry;
  deps.refusedWrites.forget(reference);
  deps.oldServices.forget(reference);
  deps.census.forget(reference);
  return undefined;
}

async function serve(
  object: SourceObject,
  definition: SourceDefinition,
  deps: ReconcileDeps,
): Promise<Retry | undefined> {
  try {
    const upstream = deps.upstream.stateOf(definition);
    return await (upstream === 'gone' ? lookAt(object, definition, deps) : stepAside(object, upstream, deps));
  } catch (error) {
    if (!(error instanceof SourceRefusedError)) throw error;
    deps.census.note(object, undefined);
    return deps.refusedWrites.report(object, definition, error, deps.cluster);
  }
}

async function lookAt(
  object: SourceObject,
  definition: SourceDefinition,
  deps: ReconcileDeps,
): Promise<Retry | undefined> {
  await deps.refusedWrites.probe(object, deps.cluster);
  if (object.metadata.deletionTimestamp !== undefined) return finalizeSource(object, definition, deps);
  const source = await ensureFinalizer(object, definition, deps);
  const plan = (await definition.loadSpec()).planOf(source.spec);
  const { facts, failure } = await establishFacts(source, plan, definition, deps).then(
    (found) => ({ facts: found, failure: undefined }),
    (error: unknown) => ({ facts: failed(plan, error), failure: { error } }),
  );
  const status = computeStatus(source, facts, deps.now());
  deps.census.note(source, status);
  if (!isDeepStrictEqual(source.status, status)) await deps.cluster.writeStatus(source, status);
  // A status that could not be written is not told twice.
  for (const announcement of announcementsOf(source, facts, status)) await deps.cluster.announce(source, announcement);
  // Said in status first; the queue logs it and comes back.
  if (failure) throw failure.error;
  return retryAfter(facts, deps);
}

/** Nobody foresaw it: what the cluster holds for this source is not known. */
function failed(plan: SourcePlan, error: unknown): Facts {
  return { plan, deployed: blocked('InternalError', messageOf(error), { when: 'backoff' }, 'Unknown') };
}

async function ensureFinalizer(source: SourceObject, definition: SourceDefinition, { cluster }: ReconcileDeps) {
  const finalizer = namesOf(definition).crd;
  return source.metadata.finalizers?.includes(finalizer) ? source : cluster.addFinalizer(source, finalizer);
}

/** The steps for one source, in order; one that must wait ends the round. */
async function establishFacts(
  source: SourceObject,
  plan: SourcePlan,
  definition: SourceDefinition,
  deps: ReconcileDeps,
): Promise<Facts> {
  const mode = modeOf(source, deps.adapter);
  const shelves = shelvesOf(source, isBlocked(mode) ? 'shared' : mode.done, deps);
  const tokenDeps = { ...deps, published: () => readPublished(shelves) };
  const secrets = await readSecrets(source, plan, deps.objects);
  const sinks = await authorizeSinks(source, await resolveSinks(source, deps), tokenDeps);
  if (isBlocked(sinks)) {
    await updateSinks(sinks.sinkGone ? undefined : await publishedSinks(source, tokenDeps), shelves, deps);
    return { plan, secrets, sinks };
  }
  if (isBlocked(secrets)) {
    await updateSinks(sinks.done, shelves, deps);
    return { plan, secrets, sinks };
  }
  if (isBlocked(mode)) {
    await updateSinks(sinks.done, shelves, deps);
    return { plan, secrets, sinks, deployed: mode };
  }
  const input = { source, plan, secrets: secrets.done, sinks: sinks.done, definition, mode: mode.done };
  return { plan, secrets, sinks, ...(await deploy(input, shelves, deps)) };
}

type DeployInput = RouteInput & { readonly definition: SourceDefinition; readonly mode: AdapterMode };

/** The route, the adapter that serves it, and then the webhook. */
async function deploy(
  input: DeployInput,
  shelves: RouteShelves,
  deps: ReconcileDeps,
): Promise<Omit<Facts, 'plan' | 'secrets' | 'sinks'>> {
  const { source, plan, definition, mode } = input;
  const published = await publishRoute(input, { shelves, confirmed: false }, deps);
  if (isBlocked(published)) return { deployed: published };
  const adapter = await ensureReceiveAdapter(input, published.done, mode, deps);
  if (isBlocked(adapter)) return { deployed: adapter };
  const { served, address, note } = adapter.done;
  const webhookURL = isBlocked(address) ? undefined : address.done;
  if (isBlocked(served)) return { webhookURL, deployed: served };
  // What may not even be read in the spec is not repeated in a sentence about it.
  if (isBlocked(address) && plan.problems.length === 0) return { webhookURL, deployed: withStay(address, source) };
  const hook = await hookFacts(input, { url: webhookURL ?? '', served: served.done, definition }, deps);
  const { route } = served.done;
  // One that is kept otherwise than it was written has the present secret all the same.
  const isWritten = !isBlocked(hook.webhook) || hook.hooks?.[0]?.keptAs !== undefined;
  if (!isWritten) return { webhookURL, deployed: { done: route, note }, ...hook };
  const hasReplaced = route.secretTokens.slice(1).some(({ validUntil }) => !validUntil);
  const latest = hasReplaced ? await endReplaced(input, shelves, deps) : published;
  const leaving = isBlocked(hook.webhook) ? undefined : await leaveOtherAdapter(source, mode, shelves, deps);
  const deployed = isBlocked(latest) ? latest : { ...latest, note };
  return { webhookURL, deployed, ...hook, again: leaving ? sooner(leaving, hook.again ?? leaving) : hook.again };
}

/** The provider has the present secret: those it replaced now have an end. */
async function endReplaced(input: DeployInput, shelves: RouteShelves, deps: ReconcileDeps): Promise<Step<Route>> {
  const latest = await publishRoute(input, { shelves, confirmed: true }, deps);
  if (!isBlocked(latest)) await deps.cluster.announce(input.source, secretRotated(latest.done));
  return latest;
}

/** A webhook that is there is left alone while nobody knows a better URL. */
function withStay({ blocked: fault }: { readonly blocked: Blocked }, { status }: SourceObject): Step<never> {
  if (!status?.hooks?.length) return { blocked: fault };
  return { blocked: { ...fault, message: `${fault.message}. The webhook still points at ${status.webhookURL}` } };
}

function retryAfter(facts: Facts, { hookCheckMs, now }: ReconcileDeps): Retry {
  const [obstacle] = obstaclesIn(facts);
  const asked = obstacle?.retry ?? facts.again ?? { when: 'after', ms: usualMs({ hookCheckMs }) };
  const expiry = nextExpiry(facts, now());
  const renewal = facts.sinks?.renewal;
  // What ends of itself takes a whole look.
  if (asked.when !== 'after' || (expiry === Number.POSITIVE_INFINITY && !renewal)) return asked;
  const retry: Retry = { when: 'after', ms: Math.min(asked.ms, expiry) };
  // The other retries come within minutes, in time for a token that has a third of its life left.
  if (!renewal) return retry;
  return renewal.when === 'after' && renewal.ms > retry.ms ? retry : renewal;
}

/** Until a replaced secret is to leave the route. */
function nextExpiry({ deployed }: Facts, now: Date): number {
  const tokens = deployed && !isBlocked(deployed) ? deployed.done.secretTokens : [];
  const times = tokens.flatMap(({ validUntil }) => (validUntil ? [Date.parse(validUntil) - now.getTime()] : []));
  return Math.max(0, Math.min(...times, Number.POSITIVE_INFINITY));
}
