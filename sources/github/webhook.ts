import { RemoteApiError } from '../../core/remote-api-error.ts';
import type { DesiredHook, HookAccess, ObservedHook, WebhookApi } from '../contract.ts';
import { githubApi } from './api.ts';
import { hooksPath } from './spec.ts';

/** A webhook as GitHub's API has it; the secret reads as asterisks. */
interface GitHubHook {
  readonly id: number;
  readonly active: boolean;
  readonly events: readonly string[];
  readonly config: { readonly url?: string; readonly content_type?: string; readonly insecure_ssl?: string | number };
}

function observed(hook: GitHubHook): ObservedHook {
  const { id, active, events, config } = hook;
  return {
    id: String(id),
    url: config.url ?? '',
    isAsDesired: (desired) =>
      active &&
      config.url === desired.url &&
      config.content_type === 'json' &&
      String(config.insecure_ssl ?? '0') === '0' &&
      sameNames(events, desired.eventTypes),
  };
}

function sameNames(some: readonly string[], others: readonly string[]): boolean {
  const wanted = new Set(others);
  return new Set(some).size === wanted.size && some.every((name) => wanted.has(name));
}

function written({ url, secret, eventTypes }: DesiredHook) {
  return {
    active: true,
    events: [...new Set(eventTypes)],
    config: { content_type: 'json', insecure_ssl: '0', secret, url },
  };
}

function isAt(hook: GitHubHook, path: string): boolean {
  const url = URL.parse(hook.config.url ?? '');
  return url?.pathname.endsWith(path) ?? false;
}

/** Of 100 webhooks each; GitHub allows 20 for an event. */
const MOST_PAGES = 50;

async function observe(access: HookAccess, end: string): Promise<ObservedHook | undefined> {
  const octokit = githubApi(access);
  const path = hooksPath(access.repository);
  let url = `${path}?per_page=100`;
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { data, headers } = await octokit.request({ method: 'GET', url });
    // The path is built, so its type is not known to Octokit.
    const hook = (data as GitHubHook[]).find((candidate) => isAt(candidate, end));
    if (hook) return observed(hook);
    const next = nextPageOf(headers.link, access);
    if (next === undefined) return undefined;
    url = next;
  }
  const reason = `the list of webhooks has more than ${MOST_PAGES} pages, which are not read: check githubAPIURL`;
  throw new RemoteApiError(`GET ${path}`, { trouble: 'invalid', reason });
}

/** The URL that a Link header (RFC 8288) calls next. The access token goes there too, so it must be of the same API. */
function nextPageOf(link: string | undefined, { api, repository }: HookAccess): string | undefined {
  const next = /<([^<>]+)>;\s*rel="next"/.exec(link ?? '')?.[1];
  if (next === undefined) return undefined;
  const url = URL.parse(next)?.href;
  if (url?.startsWith(new URL(`${api}/`).href)) return url;
  const reason = 'the next page of the list is not under githubAPIURL, so it is not asked for: check githubAPIURL';
  throw new RemoteApiError(`GET ${hooksPath(repository)}`, { trouble: 'invalid', reason });
}

async function create(access: HookAccess, desired: DesiredHook, path: string): Promise<ObservedHook> {
  try {
    const body = { name: 'web', ...written(desired) };
    const { data } = await githubApi(access).request(`POST ${hooksPath(access.repository)}`, body);
    return observed(data as GitHubHook);
  } catch (error) {
    // Somebody was faster: "Hook already exists on this repository".
    if (!(error instanceof RemoteApiError) || error.trouble !== 'invalid') throw error;
    const [existing] = await observe(access, path);
    if (!existing) throw error;
    return update(access, existing.id, desired);
  }
}

async function update(access: HookAccess, id: string, desired: DesiredHook): Promise<ObservedHook> {
  const { data } = await githubApi(access).request(`PATCH ${hooksPath(access.repository)}/${id}`, written(desired));
  return observed(data as GitHubHook);
}

async function remove(access: HookAccess, id: string): Promise<void> {
  try {
    await githubApi(access).request(`DELETE ${hooksPath(access.repository)}/${id}`);
  } catch (error) {
    if (!(error instanceof RemoteApiError) || error.trouble !== 'not-found') throw error;
  }
}

const advice: WebhookApi['advice'] = {
  unauthorized: 'GitHub does not know the access token, or it has expired: put a valid one into the Secret',
  forbidden:
    'the access token may not manage webhooks: give it admin:repo_hook or admin:org_hook (classic) or Webhooks read and write (fine-grained), and authorize it for single sign-on where the organization asks for it',
  'not-found':
    'there is no such repository or organization, or the access token may not see its webhooks: check ownerAndRepository and githubAPIURL; the token needs admin:repo_hook, or admin:org_hook for an organization (classic), or Webhooks read and write (fine-grained)',
  invalid: 'GitHub refuses the webhook: check eventTypes, and that the repository has room for another (20 an event)',
  'rate-limited': "the access token's quota is used up; it is tried again when GitHub says so",
  unreachable: 'the API was not reached: check githubAPIURL and the network; it is tried again',
  failing: 'GitHub has trouble; it is tried again',
};

export const webhook: WebhookApi = { advice, observe, create, update, remove };
