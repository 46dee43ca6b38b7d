import { isDeepStrictEqual } from 'node:util';
import { RemoteApiError, type RemoteTrouble } from '../core/remote-api-error.ts';
import type { SourceDefinition, SourcePlan } from '../sources/contract.ts';
import { namesOf } from '../sources/crd.ts';
import { ABANDON_HOOK, letsGo } from './abandon-hook.ts';
import { claimOf, ownHost } from './claim.ts';
import type { Announcement } from './cluster.ts';
import type { ReconcileDeps } from './deps.ts';
import type { HookRecord, SourceObject } from './objects.ts';
import { readSecrets } from './secrets.ts';
import { deletionStatus } from './status.ts';
import { isBlocked, type Retry } from './step.ts';
import { adviceOn, type WebhookDeps } from './webhook.ts';
import { type Removal, type RemovalAccess, removeWebhooks } from './webhook-removal.ts';

/** While deleting, every failure counts as passing. */
const LONGEST_WAIT_MS = 60_000;

/** The end of a source: its webhooks, then its route, then the finalizer. */
export async function finalizeSource(
  source: SourceObject,
  definition: SourceDefinition,
  deps: ReconcileDeps,
): Promise<Retry | undefined> {
  const { cluster, tokens, firstLooks, census, now } = deps;
  const finalizer = namesOf(definition).crd;
  if (!source.metadata.finalizers?.includes(finalizer)) return undefined;
  const announce = (announcement: Announcement) => cluster.announce(source, announcement);
  const oldServices = await deps.oldServices.of(source, definition);
  const isOurs = claimOf(source, oldServices, await ownHost(source, deps));
  const webhookDeps = { webhooks: await deps.webhooksOf(definition), tokens, announce, isOurs };
  const plan = (await definition.loadSpec()).planOf(source.spec);
  const removal = await removeAll(source, plan, webhookDeps, deps);
  if (removal.faults.length > 0 && !isLetGo(source, deps)) {
    const status = deletionStatus(
      source,
      `${removal.faults.join('; ')}; annotation ${ABANDON_HOOK}: "true" lets go of it`,
      now(),
    );
    census.note(source, status);
    if (!isDeepStrictEqual(source.status, status)) {
      await announce({ type: 'Warning', reason: 'WebhookDeletionFailed', message: removal.faults.join('; ') });
      await cluster.writeStatus(source, status);
    }
    return removal.retry?.when === 'after' ? removal.retry : { when: 'backoff', longestMs: LONGEST_WAIT_MS };
  }
  for (const hook of removal.left) await cluster.recordOrphan(source, hook);
  for (const fault of removal.faults)
    await announce({ type: 'Warning', reason: 'WebhookDeletionSkipped', message: fault });
  await cluster.removeRoute(source.metadata.uid);
  await cluster.removeFinalizer(source, finalizer);
  tokens.forget(source.metadata.uid);
  firstLooks.forget(source.metadata.uid);
  return undefined;
}

function isLetGo(source: SourceObject, { abandonHookMs, now }: ReconcileDeps): boolean {
  const deletedAt = Date.parse(source.metadata.deletionTimestamp ?? '');
  return letsGo(source) || now().getTime() - deletedAt >= abandonHookMs;
}

async function removeAll(
  source: SourceObject,
  plan: SourcePlan,
  webhookDeps: WebhookDeps,
  { objects }: ReconcileDeps,
): Promise<Removal> {
  const recorded = source.status?.hooks ?? [];
  if (!plan.accessToken && recorded.length === 0) return { left: [], faults: [], retry: undefined };
  const access = { source, api: plan.hook.api, accessToken: await accessTokenOf(source, plan, objects) };
  const unrecorded = await findUnrecorded(plan, access, webhookDeps);
  const removal = await removeWebhooks([...recorded, ...unrecorded.found], access, webhookDeps);
  if (unrecorded.fault === undefined) return removal;
  return { ...removal, faults: [...removal.faults, unrecorded.fault], retry: removal.retry ?? { when: 'backoff' } };
}

async function accessTokenOf(
  source: SourceObject,
  { accessToken }: SourcePlan,
  objects: ReconcileDeps['objects'],
): Promise<string | undefined> {
  if (!accessToken) return undefined;
  // The other secret does not matter any more.
  const secrets = await readSecrets(source, { accessToken, secretToken: accessToken }, objects);
  return isBlocked(secrets) ? undefined : secrets.done.accessToken;
}

/** Trouble of these kinds may hide a webhook that nobody recorded; any other says that there is none to be had. */
const MAY_HIDE: ReadonlySet<RemoteTrouble> = new Set(['failing', 'rate-limited']);

/** Webhooks of ours that status does not know: made before a crash, or by hand. */
async function findUnrecorded(
  plan: SourcePlan,
  { source, api, accessToken }: RemovalAccess,
  { webhooks, tokens, isOurs }: WebhookDeps,
): Promise<{ found: readonly HookRecord[]; fault?: string }> {
  const token = accessToken ?? tokens.find(source.metadata.uid, api);
  if (plan.problems.length > 0 || token === undefined) return { found: [] };
  const recorded = new Set(source.status?.hooks?.map(({ id }) => id));
  try {
    const hooks = await webhooks.observe({ ...plan.hook, token }, isOurs);
    const unknown = hooks.filter(({ id }) => !recorded.has(id));
    return { found: unknown.map(({ id }) => ({ ...plan.hook, id, secretVersion: '' })) };
  } catch (error) {
    if (!(error instanceof RemoteApiError)) throw error;
    if (!MAY_HIDE.has(error.trouble)) return { found: [] };
    return { found: [], fault: `webhooks of ${plan.hook.repository} cannot be read: ${adviceOn(error, webhooks)}` };
  }
}
