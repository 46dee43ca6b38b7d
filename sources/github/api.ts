import { Octokit } from '@octokit/rest';
import type { RequestInit, Response } from 'undici';
import { ForbiddenAddressError } from '../../core/address-guard.ts';
import { type Egress, guardedFetch, OversizedReplyError } from '../../core/guarded-fetch.ts';
import { RemoteApiError, type RemoteTrouble } from '../../core/remote-api-error.ts';
import type { HookAccess, ProviderCall, Quota } from '../contract.ts';
import type { Pauses } from './pauses.ts';
import { quotaIn } from './quota.ts';

/** For one call; GitHub answers within 10 s or gives up itself. */
const TIMEOUT_MS = 15_000;
const LEAST_WAIT_MS = 60_000;
/** Quotas are of an hour; whoever answers with more is not GitHub. */
const LONGEST_WAIT_MS = 3_600_000;
const LONGEST_REASON = 300;

const silent = () => undefined;

/** `egress`: how the API may be called; `pauses`: which tokens may not be used now; `onCall`: told of each call. */
export interface GuardedAccess extends HookAccess {
  readonly egress: Egress;
  readonly pauses: Pauses;
  readonly onCall: (call: ProviderCall) => void;
}

/**
 * A client of GitHub's REST API without retries (the work queue has them), with a time limit on every call, and with
 * redirects under `api` alone: a token must not go to another host.
 */
export function githubApi({ api, token, egress, pauses, onCall }: Omit<GuardedAccess, 'repository'>): Octokit {
  const octokit = new Octokit({
    auth: token,
    baseUrl: api,
    userAgent: 'headwater',
    // It writes to the console otherwise.
    log: { debug: silent, info: silent, warn: silent, error: silent },
    request: { fetch: (url: string, init: RequestInit) => fetchUnder(api, egress, { url, init }) },
  });
  octokit.hook.wrap('request', async (request, options) => {
    const call = `${options.method} ${options.url.replace(api, '').replace(/\?.*/, '')}`;
    const beganAt = performance.now();
    const tell = (result: ProviderCall['result'], quota?: Quota) =>
      onCall({ api, method: options.method, result, seconds: (performance.now() - beganAt) / 1000, quota });
    const pauseMs = pauses.left({ api, token });
    if (pauseMs > 0) {
      tell('not-sent');
      throw new RemoteApiError(call, { ...PAUSED, retryAfterMs: pauseMs });
    }
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const sending = Promise.resolve(request({ ...options, request: { ...options.request, signal } }));
    const { answer, failure } = await endingOf(call, sending);
    const waitMs = failure?.retryAfterMs ?? quotaWaitOf(answer);
    if (waitMs !== undefined) pauses.begin({ api, token }, waitMs);
    tell(failure?.trouble ?? (answer?.status === NOT_MODIFIED ? 'unchanged' : 'ok'), quotaIn(answer?.headers, token));
    if (failure) throw failure;
    return answer;
  });
  return octokit;
}

/** GitHub's REST documentation, "HTTP redirects": the request is repeated as it is, whatever its method. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);
const MOST_REDIRECTS = 3;

/** So calls go that name a repository as it was called before. Resolves to the redirect where it is not followed. */
async function fetchUnder(
  api: string,
  egress: Egress,
  { url, init }: { readonly url: string; readonly init: RequestInit },
): Promise<Response> {
  let place = url;
  for (let followed = 0; ; followed += 1) {
    const reply = await guardedFetch(egress, place, init);
    const location = reply.headers.get('location');
    const target = location === null ? undefined : URL.parse(location, place)?.href;
    const isFollowed = REDIRECTS.has(reply.status) && followed < MOST_REDIRECTS;
    if (!isFollowed || target === undefined || !isUnder(api, target)) return reply;
    place = target;
  }
}

/** Whether a URL, as URL writes it, is of the API: only there may its access token go. */
export function isUnder(api: string, href: string): boolean {
  return href.startsWith(new URL(`${api}/`).href);
}

const PAUSED = {
  trouble: 'rate-limited',
  reason: 'not asked, since GitHub said to wait with this access token',
} as const;

type Answer = Awaited<ReturnType<Octokit['request']>>;

interface Failure {
  readonly status?: number;
  readonly response?: Answer;
  readonly message: string;
}

const NOT_MODIFIED = 304;

/** Of a failure, the answer as well, if there was one. */
type Ending =
  | { readonly answer: Answer; readonly failure?: undefined }
  | { readonly answer: Answer | undefined; readonly failure: RemoteApiError };

async function endingOf(call: string, sending: Promise<Answer>): Promise<Ending> {
  try {
    const answer = await sending;
    // Octokit takes it for a success.
    const isRedirect = answer.status >= 300;
    return isRedirect ? { answer, failure: notFollowed(call, answer.status) } : { answer };
  } catch (error) {
    const { status, response } = error as Failure;
    // The answer a conditional request hopes for; Octokit takes it for a failure.
    if (status === NOT_MODIFIED && response) return { answer: response };
    return { answer: response, failure: remoteApiError(call, error) };
  }
}

function notFollowed(call: string, status: number): RemoteApiError {
  const reason = 'is a redirect that is not followed: name the repository, or the API, as it is called now';
  return new RemoteApiError(call, { trouble: 'invalid', status, reason });
}

function remoteApiError(call: string, error: unknown): RemoteApiError {
  const refusal = refusalIn(error);
  if (refusal) return new RemoteApiError(call, { trouble: 'invalid', reason: refusal.message }, { cause: error });
  const { status, response, message } = error as Failure;
  // A call that never got an answer looks like a 500.
  if (response === undefined || status === undefined) {
    return new RemoteApiError(call, { trouble: 'unreachable', reason: message }, { cause: error });
  }
  const trouble = isRateLimit(status, response) ? 'rate-limited' : troubleOf(status);
  const retryAfterMs = trouble === 'rate-limited' ? waitOf(response.headers, Date.now()) : undefined;
  return new RemoteApiError(call, { trouble, status, reason: reasonOf(response.data), retryAfterMs });
}

/** Why we broke off the call; only another githubAPIURL helps. */
function refusalIn(error: unknown): Error | undefined {
  if (error instanceof ForbiddenAddressError || error instanceof OversizedReplyError) return error;
  return error instanceof Error ? refusalIn(error.cause) : undefined;
}

const TROUBLES: Readonly<Record<number, RemoteTrouble>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  410: 'not-found',
  422: 'invalid',
};

function troubleOf(status: number): RemoteTrouble {
  return TROUBLES[status] ?? (status >= 300 && status < 500 ? 'invalid' : 'failing');
}

/**
 * GitHub, "Rate limits for the REST API": 403 or 429, with Retry-After or no remaining quota. Secondary limits may come
 * with neither; then the answer's `documentation_url` leads to a page on rate limits.
 */
function isRateLimit(status: number, { headers, data }: Answer): boolean {
  if (status !== 403) return status === 429;
  const { documentation_url: documentation } = (data ?? {}) as { documentation_url?: unknown };
  const isDocumented = typeof documentation === 'string' && /rate-limit/i.test(documentation);
  return headers['retry-after'] !== undefined || isOutOfQuota(headers) || isDocumented;
}

function isOutOfQuota(headers: Answer['headers']): boolean {
  return String(headers['x-ratelimit-remaining']) === '0';
}

/** Milliseconds until there is quota again; undefined: some is left. */
function quotaWaitOf(answer: Answer | undefined): number | undefined {
  return answer && isOutOfQuota(answer.headers) ? waitOf(answer.headers, Date.now()) : undefined;
}

/** In milliseconds. GitHub asks for at least a minute, unless Retry-After says otherwise. */
function waitOf(headers: Answer['headers'], now: number): number {
  const seconds = Number(headers['retry-after']);
  if (seconds > 0) return Math.min(seconds * 1000, LONGEST_WAIT_MS);
  // While there is quota left, its end has nothing to do with the refusal.
  const reset = isOutOfQuota(headers) ? Number(headers['x-ratelimit-reset']) * 1000 - now : 0;
  return reset > LEAST_WAIT_MS ? Math.min(reset, LONGEST_WAIT_MS) : LEAST_WAIT_MS;
}

/** GitHub's `message`, and what its `errors` add, on one line: never the rest of the body. */
function reasonOf(data: unknown): string {
  const { message, errors } = (typeof data === 'object' && data !== null ? data : {}) as {
    message?: unknown;
    errors?: unknown;
  };
  const details = (Array.isArray(errors) ? errors : []).map((one: unknown) =>
    typeof one === 'object' && one !== null && 'message' in one ? one.message : one,
  );
  const sentences = [message, ...details].filter((part): part is string => typeof part === 'string' && part !== '');
  const reason = sentences.join(': ').replace(/\s+/g, ' ');
  return reason.length > LONGEST_REASON ? `${reason.slice(0, LONGEST_REASON)}…` : reason || 'no reason given';
}
