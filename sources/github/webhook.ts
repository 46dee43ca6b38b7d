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

async function observe(access: HookAccess, path: string): Promise<ObservedHook | undefined> {
  const octokit = githubApi(access);
  const pages = octokit.paginate.iterator(`GET ${hooksPath(access.repository)}`, { per_page: 100 });
  for await (const page of pages) {
    // The path is built, so its type is not known to Octokit.
    const hook = (page.data as unknown as GitHubHook[]).find((candidate) => isAt(candidate, path));
    if (hook) return observed(hook);
  }
  return undefined;
}

async function create(access: HookAccess, desired: DesiredHook, path: string): Promise<ObservedHook> {
  try {
    const body = { name: 'web', ...written(desired) };
    const { data } = await githubApi(access).request(`POST ${hooksPath(access.repository)}`, body);
    return observed(data as GitHubHook);
  } catch (error) {
    // Somebody was faster: "Hook already exists on this repository".
    if (!(error instanceof RemoteApiError) || error.trouble !== 'invalid') throw error;
    const existing = await observe(access, path);
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

export const webhook: WebhookApi = { observe, create, update, remove };
