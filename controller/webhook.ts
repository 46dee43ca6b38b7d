import { RemoteApiError } from '../core/remote-api-error.ts';
import type { DesiredHook, HookAccess, SourcePlan, WebhookApi } from '../sources/contract.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Announcement, Cluster } from './cluster.ts';
import type { HookRecord, SourceObject } from './objects.ts';
import { pathOf } from './resources/route.ts';
import { blocked, type Reason, type Retry, type Step } from './step.ts';

export interface WebhookDeps {
  readonly webhooks: WebhookApi;
  readonly tokens: AccessTokens;
  readonly announce: (announcement: Announcement) => Promise<void>;
}

export interface WebhookInput {
  readonly source: SourceObject;
  readonly plan: SourcePlan;
  readonly accessToken: string;
  readonly url: string;
  readonly secret: { readonly value: string; readonly version: string };
}

/** Makes the provider have exactly the webhook that should be; written only on difference. Resolves to its record. */
export async function ensureWebhook(input: WebhookInput, deps: WebhookDeps): Promise<Step<HookRecord>> {
  const { source, plan, accessToken, url, secret } = input;
  if (plan.problems.length > 0) return blocked('CreationFailed', plan.problems.join('; '));
  const access: HookAccess = { ...plan.hook, token: accessToken };
  const desired: DesiredHook = { url, eventTypes: plan.eventTypes, secret: secret.value };
  const recorded = recordFor(plan, source);
  try {
    const id = await writeWebhook(access, desired, { source, recorded, version: secret.version }, deps);
    deps.tokens.remember(source.metadata.uid, access.api, accessToken);
    return { done: { ...plan.hook, id, secretVersion: secret.version } };
  } catch (error) {
    if (!(error instanceof RemoteApiError)) throw error;
    const reason = recorded ? 'ReconciliationFailed' : 'CreationFailed';
    return blocked(reason, adviceOn(error, deps.webhooks), retryOf(error));
  }
}

async function writeWebhook(
  access: HookAccess,
  desired: DesiredHook,
  known: { source: SourceObject; recorded: HookRecord | undefined; version: string },
  { webhooks, announce }: WebhookDeps,
): Promise<string> {
  const { source, recorded, version } = known;
  const existing = await webhooks.observe(access, pathOf(source));
  if (!existing) {
    const { id } = await webhooks.create(access, desired, pathOf(source));
    await announce(
      recorded
        ? {
            type: 'Warning',
            reason: 'WebhookRestored',
            message: `webhook ${recorded.id} of ${access.repository} was gone; made again as ${id}`,
          }
        : {
            type: 'Normal',
            reason: 'WebhookCreated',
            message: `webhook ${id} of ${access.repository} made, with URL ${desired.url}`,
          },
    );
    return id;
  }
  const asDesired = existing.isAsDesired(desired);
  if (asDesired && recorded?.secretVersion === version) return existing.id;
  await webhooks.update(access, existing.id, desired);
  await announce(announcementOfUpdate(existing.id, access.repository, { source, recorded, desired, asDesired }));
  return existing.id;
}

function announcementOfUpdate(
  id: string,
  repository: string,
  {
    source,
    recorded,
    desired,
    asDesired,
  }: { source: SourceObject; recorded: HookRecord | undefined; desired: DesiredHook; asDesired: boolean },
): Announcement {
  const { metadata, status } = source;
  // Nothing changed here, so it was changed there.
  const drifted =
    recorded && !asDesired && status?.observedGeneration === metadata.generation && status.webhookURL === desired.url;
  if (drifted) {
    return {
      type: 'Warning',
      reason: 'WebhookRestored',
      message: `webhook ${id} of ${repository} was changed at the provider; written as it should be`,
    };
  }
  const what = recorded ? 'updated' : 'found and taken over';
  return { type: 'Normal', reason: 'WebhookUpdated', message: `webhook ${id} of ${repository} ${what}` };
}

/** What status says of the webhook that should be. */
export function recordFor(
  { hook }: Pick<SourcePlan, 'hook'>,
  { status }: Pick<SourceObject, 'status'>,
): HookRecord | undefined {
  return status?.hooks?.find(({ api, repository }) => api === hook.api && repository === hook.repository);
}

export interface Removal {
  /** Those that are still there. */
  readonly left: readonly HookRecord[];
  /** Why, a sentence each. */
  readonly faults: readonly string[];
}

/**
 * Removes webhooks, each with the access token that was good for its API; `accessToken`: the present one, for `api`.
 * 204, 404 and 410 are the same: it is gone.
 */
export async function removeWebhooks(
  hooks: readonly HookRecord[],
  access: { readonly uid: string; readonly api: string; readonly accessToken: string | undefined },
  { webhooks, tokens, announce }: WebhookDeps,
): Promise<Removal> {
  const left: HookRecord[] = [];
  const faults: string[] = [];
  for (const hook of hooks) {
    const { api, repository, id } = hook;
    const present = api === access.api ? access.accessToken : undefined;
    const token = present ?? tokens.find(access.uid, api);
    try {
      if (token === undefined) throw new NoTokenError(`there is no access token for ${api}`);
      await webhooks.remove({ api, repository, token }, id);
      await announce({ type: 'Normal', reason: 'WebhookRemoved', message: `webhook ${id} of ${repository} removed` });
    } catch (error) {
      if (!(error instanceof RemoteApiError) && !(error instanceof NoTokenError)) throw error;
      const why = error instanceof RemoteApiError ? adviceOn(error, webhooks) : error.message;
      left.push(hook);
      faults.push(`webhook ${id} of ${repository} is not removed: ${why}`);
    }
  }
  return { left, faults };
}

/** Without access token nothing can be removed: the webhook for this spec is the user's now, any other is left behind. */
export async function releaseWebhooks(source: SourceObject, plan: SourcePlan, cluster: Cluster): Promise<void> {
  const own = recordFor(plan, source);
  for (const hook of source.status?.hooks ?? []) {
    const message = `webhook ${hook.id} of ${hook.repository} is yours to manage, since spec.accessToken is gone`;
    await cluster.announce(source, { type: hook === own ? 'Normal' : 'Warning', reason: 'WebhookReleased', message });
    if (hook !== own) await cluster.recordOrphan(source, hook);
  }
}

class NoTokenError extends Error {
  override name = 'NoTokenError';
}

export function adviceOn(error: RemoteApiError, { advice }: Pick<WebhookApi, 'advice'>): string {
  return `${error.message} (${advice[error.trouble]})`;
}

function retryOf({ trouble, retryAfterMs }: RemoteApiError): Retry {
  if (trouble === 'unreachable' || trouble === 'failing') return { when: 'backoff' };
  return trouble === 'rate-limited' ? { when: 'after', ms: retryAfterMs ?? 60_000 } : { when: 'changed' };
}

/** A webhook of an earlier owner or API that could not be removed: said beside the one that is there. */
export function leftoverNote({ faults }: Removal): Reason | undefined {
  return faults.length === 0 ? undefined : { reason: 'OldWebhookRemains', message: faults.join('; ') };
}
