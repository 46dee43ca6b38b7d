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

/** @throws RemoteApiError where the answer is no webhook. */
export function hookIn(call: string, { status, data }: Answer): ObservedHook {
  if (!isHook(data)) throw notGitHub(call, status);
  return observed(data);
}

/** @throws RemoteApiError where the answer is no list of webhooks. */
export function hooksIn(call: string, { status, data }: Answer): readonly ObservedHook[] {
  if (!Array.isArray(data) || !data.every(isHook)) throw notGitHub(call, status);
  return data.map(observed);
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

/** Lists are kept, so it holds nothing of the answer but what is compared. */
function observed({ id, active, events, config }: GitHubHook): ObservedHook {
  const { url, content_type: contentType, insecure_ssl: insecure, secret } = config;
  // Asterisks, and only where a secret is set.
  const isSound = active && contentType === 'json' && Boolean(secret) && VERIFIES_TLS.includes(insecure);
  const names = namesOf(events);
  return {
    id: String(id),
    url: typeof url === 'string' ? url : '',
    isAsDesired: (desired) => isSound && url === desired.url && names === namesOf(desired.eventTypes),
    describe: () =>
      `${active ? 'active' : 'inactive'}, ${contentType === 'json' ? 'as JSON' : 'not as JSON'}, ${secret ? 'with' : 'without'} a secret, ${VERIFIES_TLS.includes(insecure) ? '' : 'not '}verifying TLS, URL ${typeof url === 'string' ? url : 'none'}, events ${names}`,
  };
}

/** In one text, whatever their order. */
function namesOf(events: readonly string[]): string {
  return [...new Set(events)].toSorted().join(' ');
}

export function written({ url, secret, eventTypes }: DesiredHook) {
  return {
    active: true,
    events: [...new Set(eventTypes)],
    config: { content_type: 'json', insecure_ssl: '0', secret, url },
  };
}
