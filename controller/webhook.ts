import { createHash } from 'node:crypto';
import { RemoteApiError } from '../core/remote-api-error.ts';
import type { Claim, DesiredHook, HookAccess, ObservedHook, SourcePlan, WebhookApi } from '../sources/contract.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Announcement } from './cluster.ts';
import { type FirstLooks, putOff } from './first-looks.ts';
import { announcementOf } from './hook-announcements.ts';
import { recordFor, rightRecord } from './hook-records.ts';
import { conditionOf, type HookRecord, type SourceObject } from './objects.ts';
import { type Blocked, blocked, type Reason, type Retry } from './step.ts';

export interface WebhookDeps {
  readonly webhooks: WebhookApi;
  readonly tokens: AccessTokens;
  readonly announce: (announcement: Announcement) => Promise<void>;
  /** Which webhooks are the source's. */
  readonly isOurs: Claim;
}

export interface EnsureDeps extends WebhookDeps {
  readonly firstLooks: FirstLooks;
  readonly now: () => Date;
  /** How often webhooks are compared with the provider's, in milliseconds. */
  readonly hookCheckMs: number;
}

export interface WebhookInput {
  readonly source: SourceObject;
  readonly plan: SourcePlan;
  readonly accessToken: string;
  readonly url: string;
  readonly secret: { readonly value: string; readonly version: string };
}

/** `attempted`: what is at the provider now otherwise than it should be, or may be, where its answer never came. */
export type EnsuredWebhook =
  | {
      readonly done: HookRecord;
      readonly note?: Reason | undefined;
      /** When to look again; undefined: as always. */
      readonly again?: Retry;
      /** Milliseconds until it is first compared with the provider's; undefined: it was, just now. */
      readonly compareMs?: number;
    }
  | { readonly blocked: Blocked; readonly attempted: HookRecord | undefined };

/**
 * Makes the provider have exactly the webhook that should be; written only on difference. Resolves to its record. A list
 * read for another source a while ago may say that all is well, so that many sources of one repository cost one call; what
 * a new spec finds, and what is to be written, is decided by one read now.
 */
export async function ensureWebhook(input: WebhookInput, deps: EnsureDeps): Promise<EnsuredWebhook> {
  const { source, plan, accessToken, secret } = input;
  const access: HookAccess = { ...plan.hook, token: accessToken };
  const later = putOff({ ...input, secretVersion: secret.version }, deps);
  if (later) return later;
  const began = deps.now();
  const oldestMs = source.status?.observedGeneration === source.metadata.generation ? deps.hookCheckMs / 2 : 0;
  let found: readonly ObservedHook[];
  try {
    found = await deps.webhooks.observe(access, deps.isOurs, new Date(began.getTime() - oldestMs));
  } catch (error) {
    if (!(error instanceof RemoteApiError)) throw error;
    return notCompared(error, input, deps) ?? failure(error, undefined, input, deps);
  }
  deps.tokens.remember(source.metadata.uid, access.api, accessToken);
  deps.firstLooks.made(source.metadata.uid);
  const [hook, ...others] = found;
  const isWell = hook && others.length === 0 && isWritten(hook, input);
  return isWell ? keptWebhook(hook, input) : makeRight(input, began, deps);
}

const NOT_COMPARED = 'NotCompared';

/** Trouble that passes changes nothing about a webhook that is on record as it should be; undefined: it is not. */
function notCompared(
  error: RemoteApiError,
  input: WebhookInput,
  { webhooks }: Pick<EnsureDeps, 'webhooks'>,
): EnsuredWebhook | undefined {
  const done = rightRecord({ ...input, secretVersion: input.secret.version });
  const again = retryOf(error);
  if (!done || again.when === 'changed') return undefined;
  const said = conditionOf(input.source, 'WebhookConfigured');
  // What was said first stays: providers put times and numbers into their sentences, and each try would write status.
  const isSaid = said?.reason === NOT_COMPARED && said.message !== undefined;
  const message = isSaid
    ? said.message
    : `the webhook was written as it should be, but cannot be compared with the provider's now: ${adviceOn(error, webhooks)}`;
  return { done, note: { reason: NOT_COMPARED, message }, again };
}

/** Leaves one webhook of those that are there, as it should be. */
async function makeRight(input: WebhookInput, began: Date, deps: EnsureDeps): Promise<EnsuredWebhook> {
  const { source, plan, accessToken } = input;
  const access: HookAccess = { ...plan.hook, token: accessToken };
  const recorded = recordFor(plan, source);
  let attempted: HookRecord | undefined;
  const attempt = (id: string) => {
    // Until the answer is there, nobody knows which secret the webhook has.
    attempted = { ...plan.hook, id, secretVersion: '' };
  };
  try {
    const found = await deps.webhooks.observe(access, deps.isOurs, began);
    const kept = await keepOne(found, input, access, deps);
    return keptWebhook(await writeWebhook(kept, { input, access, recorded, attempt }, deps), input);
  } catch (error) {
    if (!(error instanceof RemoteApiError)) throw error;
    return failure(error, attempted, input, deps);
  }
}

function failure(
  error: RemoteApiError,
  attempted: HookRecord | undefined,
  { plan, source }: WebhookInput,
  { webhooks }: Pick<EnsureDeps, 'webhooks'>,
): EnsuredWebhook {
  const reason = recordFor(plan, source)?.id ? 'ReconciliationFailed' : 'CreationFailed';
  // Refused, or not even sent.
  const isUndone = error.trouble === 'rate-limited' || (error.status !== undefined && error.status < 500);
  return {
    ...blocked(reason, adviceOn(error, webhooks), retryOf(error)),
    attempted: isUndone ? undefined : attempted,
  };
}

/** A webhook that was written: whether the provider keeps it so. */
function keptWebhook(hook: ObservedHook, input: WebhookInput): EnsuredWebhook {
  const { plan, secret } = input;
  const record: HookRecord = { ...plan.hook, id: hook.id, secretVersion: secret.version };
  const desired = desiredOf(input);
  if (hook.isAsDesired(desired)) return { done: record };
  const message = `the provider keeps webhook ${hook.id} of ${plan.hook.repository} otherwise than it was written (${hook.describe()}): change spec to what it can do there; it is written again when spec or the webhook is another`;
  return { ...blocked('KeptOtherwise', message), attempted: { ...record, keptAs: keptAs(hook, desired) } };
}

/** Another text for another webhook at the provider, and for another that should be; its secret has a version of its own. */
function keptAs(hook: ObservedHook, { url, eventTypes }: DesiredHook): string {
  const kept = JSON.stringify([hook.describe(), url, eventTypes.toSorted()]);
  return createHash('sha256').update(kept).digest('base64').slice(0, 16);
}

/**
 * Whether there is nothing to write: the provider has all that should be, as far as can be known (of another webhook than
 * ours, not the secret); or it made of this very webhook what it has now, and would do so again.
 */
function isWritten(hook: ObservedHook, input: WebhookInput): boolean {
  const recorded = recordFor(input.plan, input.source);
  const hasSecret = recorded?.id === hook.id && recorded.secretVersion === input.secret.version;
  const desired = desiredOf(input);
  return hasSecret && (hook.isAsDesired(desired) || recorded.keptAs === keptAs(hook, desired));
}

function desiredOf({ plan, url, secret }: WebhookInput): DesiredHook {
  return { url, eventTypes: plan.eventTypes, secret: secret.value };
}

/** Of several webhooks that are ours, the one with the right URL stays, or the one on record; the others go. */
async function keepOne(
  found: readonly ObservedHook[],
  { url, source, plan }: WebhookInput,
  access: HookAccess,
  { webhooks, announce }: WebhookDeps,
): Promise<ObservedHook | undefined> {
  const recorded = recordFor(plan, source);
  const kept = found.find((hook) => hook.url === url) ?? found.find((hook) => hook.id === recorded?.id) ?? found[0];
  for (const { id } of found.filter((hook) => hook !== kept)) {
    await webhooks.remove(access, id);
    const message = `webhook ${id} of ${access.repository} removed: ${kept?.id} is for this source already`;
    await announce({ type: 'Normal', reason: 'WebhookRemoved', message });
  }
  return kept;
}

interface Writing {
  readonly input: WebhookInput;
  readonly access: HookAccess;
  readonly recorded: HookRecord | undefined;
  /** Told what is about to be written, by the provider's id where it has one. */
  readonly attempt: (id: string) => void;
}

async function writeWebhook(
  existing: ObservedHook | undefined,
  writing: Writing,
  { webhooks, announce, isOurs }: WebhookDeps,
): Promise<ObservedHook> {
  const { input, access, recorded, attempt } = writing;
  if (existing && isWritten(existing, input)) return existing;
  attempt(existing?.id ?? '');
  const desired = desiredOf(input);
  const written = existing
    ? await webhooks.update(access, existing.id, desired)
    : await webhooks.create(access, desired, isOurs);
  const { source, secret } = input;
  const known = { existing, desired, recorded, source, secretVersion: secret.version };
  await announce(announcementOf({ ...known, id: written.id, repository: access.repository }));
  return written;
}

export function sooner(one: Retry | undefined, other: Retry): Retry {
  const rank = ({ when }: Retry) => ['backoff', 'after', 'changed'].indexOf(when);
  return one && rank(one) <= rank(other) ? one : other;
}

export function adviceOn(error: RemoteApiError, { advice }: Pick<WebhookApi, 'advice'>): string {
  return `${error.message} (${advice[error.trouble]})`;
}

export function retryOf({ trouble, retryAfterMs }: RemoteApiError): Retry {
  if (trouble === 'unreachable' || trouble === 'failing') return { when: 'backoff' };
  return trouble === 'rate-limited' ? { when: 'after', ms: retryAfterMs ?? 60_000 } : { when: 'changed' };
}
