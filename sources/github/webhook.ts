import type { AddressGuard } from '../../core/address-guard.ts';
import { RemoteApiError } from '../../core/remote-api-error.ts';
import type { Claim, DesiredHook, HookAccess, ObservedHook, WebhookApi } from '../contract.ts';
import { type GuardedAccess, githubApi } from './api.ts';
import { hookIn, hooksIn, notGitHub, observed, written } from './hook.ts';
import { hooksPath } from './spec.ts';

/** Of 100 webhooks each; GitHub allows 20 for an event. */
const MOST_PAGES = 50;

async function observe(access: GuardedAccess, isOurs: Claim): Promise<readonly ObservedHook[]> {
  const octokit = githubApi(access);
  const path = hooksPath(access.repository);
  const found: ObservedHook[] = [];
  let url = `${path}?per_page=100`;
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const answer = await octokit.request({ method: 'GET', url });
    found.push(...hooksIn(`GET ${path}`, answer).map(observed).filter(isOurs));
    const next = nextPageOf(answer.headers.link, access);
    if (next === undefined) return found;
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

async function create(access: GuardedAccess, desired: DesiredHook, isOurs: Claim): Promise<ObservedHook> {
  try {
    const call = `POST ${hooksPath(access.repository)}`;
    const answer = await githubApi(access).request(call, { name: 'web', ...written(desired) });
    return observed(hookIn(call, answer));
  } catch (error) {
    // Somebody was faster: "Hook already exists on this repository".
    if (!(error instanceof RemoteApiError) || error.status !== 422) throw error;
    const found = await observe(access, isOurs);
    const existing = found.find(({ url }) => url === desired.url) ?? found[0];
    if (!existing) throw error;
    return update(access, existing.id, desired);
  }
}

async function update(access: GuardedAccess, id: string, desired: DesiredHook): Promise<ObservedHook> {
  const call = `PATCH ${hooksPath(access.repository)}/${id}`;
  return observed(hookIn(call, await githubApi(access).request(call, written(desired))));
}

async function remove(access: GuardedAccess, id: string): Promise<void> {
  const call = `DELETE ${hooksPath(access.repository)}/${id}`;
  try {
    const { status } = await githubApi(access).request(call);
    if (status !== 204) throw notGitHub(call, status);
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
  invalid:
    'no webhook can be made like this: check eventTypes, that the repository has room for another (20 an event), and githubAPIURL',
  'rate-limited': "the access token's quota is used up; it is tried again when GitHub says so",
  unreachable: 'the API was not reached: check githubAPIURL and the network; it is tried again',
  failing: 'GitHub has trouble; it is tried again',
};

/** `guard`: which addresses githubAPIURL may lead to. */
export function webhookApi(guard: AddressGuard): WebhookApi {
  return {
    advice,
    observe: (access, isOurs) => observe({ ...access, guard }, isOurs),
    create: (access, desired, isOurs) => create({ ...access, guard }, desired, isOurs),
    update: (access, id, desired) => update({ ...access, guard }, id, desired),
    remove: (access, id) => remove({ ...access, guard }, id),
  };
}
