import { RemoteApiError } from '../../core/remote-api-error.ts';
import type { DesiredHook, ObservedHook } from '../contract.ts';

/** A webhook as GitHub's API has it; the secret reads as asterisks. */
interface GitHubHook {
  readonly id: number;
  readonly active: boolean;
  readonly events: readonly string[];
  /** Of another's webhook anything can be in it. */
  readonly config: Readonly<Partial<Record<'url' | 'content_type' | 'insecure_ssl' | 'secret', unknown>>>;
}

function isHook(data: unknown): data is GitHubHook {
  const { id, active, events, config } = (data ?? {}) as Readonly<Record<string, unknown>>;
  return (
    Number.isSafeInteger(id) &&
    typeof active === 'boolean' &&
    Array.isArray(events) &&
    events.every((name) => typeof name === 'string') &&
    typeof config === 'object' &&
    config !== null
  );
}

export function hookIn(call: string, { status, data }: Answer): GitHubHook {
  if (!isHook(data)) throw notGitHub(call, status);
  return data;
}

export function hooksIn(call: string, { status, data }: Answer): readonly GitHubHook[] {
  if (!Array.isArray(data) || !data.every(isHook)) throw notGitHub(call, status);
  return data;
}

interface Answer {
  readonly status: number;
  readonly data: unknown;
}

/** Something else answers there, such as a login page: nothing of it is quoted. */
export function notGitHub(call: string, status: number): RemoteApiError {
  return new RemoteApiError(call, { trouble: 'invalid', status, reason: NOT_GITHUB });
}

const NOT_GITHUB = "this is not GitHub's API: check githubAPIURL";

/** GitHub writes a number or a string; absent is 0. */
const VERIFIES_TLS: readonly unknown[] = [0, '0', undefined];

export function observed(hook: GitHubHook): ObservedHook {
  const { id, active, events, config } = hook;
  return {
    id: String(id),
    url: urlOf(hook),
    isAsDesired: (desired) =>
      active &&
      config.url === desired.url &&
      config.content_type === 'json' &&
      // Asterisks, and only where a secret is set.
      Boolean(config.secret) &&
      VERIFIES_TLS.includes(config.insecure_ssl) &&
      sameNames(events, desired.eventTypes),
  };
}

function urlOf({ config }: GitHubHook): string {
  return typeof config.url === 'string' ? config.url : '';
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  const wanted = new Set(others);
  return new Set(some).size === wanted.size && some.every((name) => wanted.has(name));
}

export function written({ url, secret, eventTypes }: DesiredHook) {
  return {
    active: true,
    events: [...new Set(eventTypes)],
    config: { content_type: 'json', insecure_ssl: '0', secret, url },
  };
}
