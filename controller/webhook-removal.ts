import { RemoteApiError } from '../core/remote-api-error.ts';
import type { HookAccess } from '../sources/contract.ts';
import type { HookRecord, SourceObject } from './objects.ts';
import type { Retry } from './step.ts';
import { adviceOn, retryOf, sooner, type WebhookDeps } from './webhook.ts';

export interface Removal {
  /** Those that are still there. */
  readonly left: readonly HookRecord[];
  /** Why, a sentence each. */
  readonly faults: readonly string[];
  /** When to try again; undefined: nothing is left. */
  readonly retry: Retry | undefined;
}

export interface RemovalAccess {
  readonly source: SourceObject;
  /** The API the present access token is for. */
  readonly api: string;
  readonly accessToken: string | undefined;
}

/**
 * Removes webhooks, each with the access token that was good for its API. 204, 404 and 410 are the same: it is gone. One
 * without id is looked for by its path: it was attempted, and nobody knows whether it was made.
 */
export async function removeWebhooks(
  hooks: readonly HookRecord[],
  access: RemovalAccess,
  deps: WebhookDeps,
): Promise<Removal> {
  const left: HookRecord[] = [];
  const faults: string[] = [];
  let retry: Retry | undefined;
  for (const hook of hooks) {
    const trouble = await removeOne(hook, access, deps);
    if (!trouble) continue;
    left.push(hook);
    faults.push(`webhook ${hook.id || '(attempted)'} of ${hook.repository} is not removed: ${trouble.why}`);
    retry = sooner(retry, trouble.retry);
  }
  return { left, faults, retry };
}

async function removeOne(
  { api, repository, id }: HookRecord,
  access: RemovalAccess,
  { webhooks, tokens, announce, isOurs }: WebhookDeps,
): Promise<{ why: string; retry: Retry } | undefined> {
  const present = api === access.api ? access.accessToken : undefined;
  const token = present ?? tokens.find(access.source.metadata.uid, api);
  if (token === undefined) return { why: `there is no access token for ${api}`, retry: { when: 'changed' } };
  const place: HookAccess = { api, repository, token };
  try {
    const ids = id === '' ? (await webhooks.observe(place, isOurs)).map((hook) => hook.id) : [id];
    for (const one of ids) {
      await webhooks.remove(place, one);
      await announce({ type: 'Normal', reason: 'WebhookRemoved', message: `webhook ${one} of ${repository} removed` });
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof RemoteApiError)) throw error;
    // Where nothing can be listed, nothing is there.
    if (id === '' && error.trouble === 'not-found') return undefined;
    return { why: adviceOn(error, webhooks), retry: retryOf(error) };
  }
}
