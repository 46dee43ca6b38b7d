import { Octokit } from '@octokit/rest';
import { RemoteApiError, type RemoteTrouble } from '../../core/remote-api-error.ts';
import type { HookAccess } from '../contract.ts';

/** For one call; GitHub answers within 10 s or gives up itself. */
const TIMEOUT_MS = 15_000;
const LONGEST_REASON = 300;

const silent = () => undefined;

/**
 * A client of GitHub's REST API without retries (the work queue has them), with a time limit on every call, and without
 * redirects: a token must not go to another host.
 */
export function githubApi({ api, token }: Pick<HookAccess, 'api' | 'token'>): Octokit {
  const octokit = new Octokit({
    auth: token,
    baseUrl: api,
    userAgent: 'headwater',
    // It writes to the console otherwise.
    log: { debug: silent, info: silent, warn: silent, error: silent },
    request: { redirect: 'manual' },
  });
  octokit.hook.wrap('request', async (request, options) => {
    const call = `${options.method} ${options.url.replace(api, '').replace(/\?.*/, '')}`;
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const sending = Promise.resolve(request({ ...options, request: { ...options.request, signal } }));
    const response = await sending.catch((error: unknown) => {
      throw remoteApiError(call, error);
    });
    // Octokit takes it for a success.
    if (response.status >= 300) {
      const reason = 'is a redirect, which is not followed: name the repository, or the API, as it is called now';
      throw new RemoteApiError(call, { trouble: 'invalid', status: response.status, reason });
    }
    return response;
  });
  return octokit;
}

interface Failure {
  readonly status?: number;
  readonly response?: {
    readonly headers: Readonly<Record<string, string | number | undefined>>;
    readonly data: unknown;
  };
  readonly message: string;
}

function remoteApiError(call: string, error: unknown): RemoteApiError {
  const { status, response, message } = error as Failure;
  // A call that never got an answer looks like a 500.
  if (response === undefined || status === undefined) {
    return new RemoteApiError(call, { trouble: 'unreachable', reason: message }, { cause: error });
  }
  const trouble = troubleOf(status, response.headers);
  const retryAfterMs = trouble === 'rate-limited' ? waitOf(response.headers, Date.now()) : undefined;
  return new RemoteApiError(call, { trouble, status, reason: reasonOf(response.data), retryAfterMs });
}

const TROUBLES: Readonly<Record<number, RemoteTrouble>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not-found',
  410: 'not-found',
  422: 'invalid',
  429: 'rate-limited',
};

/** GitHub, "Rate limits for the REST API": 403 or 429, with Retry-After or no remaining quota. */
function troubleOf(status: number, headers: NonNullable<Failure['response']>['headers']): RemoteTrouble {
  const outOfQuota = headers['retry-after'] !== undefined || String(headers['x-ratelimit-remaining']) === '0';
  if (status === 403 && outOfQuota) return 'rate-limited';
  return TROUBLES[status] ?? (status >= 300 && status < 500 ? 'invalid' : 'failing');
}

/** At least a minute, as GitHub asks where it says nothing. */
function waitOf(headers: NonNullable<Failure['response']>['headers'], now: number): number {
  const seconds = Number(headers['retry-after']);
  const reset = Number(headers['x-ratelimit-reset']) * 1000 - now;
  if (seconds > 0) return seconds * 1000;
  return reset > 0 ? reset : 60_000;
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
