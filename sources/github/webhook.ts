import type { Egress } from '../../core/guarded-fetch.ts';
import { RemoteApiError } from '../../core/remote-api-error.ts';
import type { DesiredHook, HookAccess, ObservedHook, ProviderCall, WebhookApi } from '../contract.ts';
import { type GuardedAccess, githubApi } from './api.ts';
import { hookIn, notGitHub, written } from './hook.ts';
import { HookLists } from './hook-lists.ts';
import { Pauses } from './pauses.ts';
import { hooksPath } from './spec.ts';

/** `observe`: what is there now. */
async function create(
  access: GuardedAccess,
  desired: DesiredHook,
  observe: () => Promise<readonly ObservedHook[]>,
): Promise<ObservedHook> {
  try {
    const call = `POST ${hooksPath(access.repository)}`;
    return hookIn(call, await githubApi(access).request(call, { name: 'web', ...written(desired) }));
  } catch (error) {
    // Somebody was faster: "Hook already exists on this repository".
    if (!(error instanceof RemoteApiError) || error.status !== 422) throw error;
    const found = await observe();
    const existing = found.find(({ url }) => url === desired.url) ?? found[0];
    if (!existing) throw error;
    return update(access, existing.id, desired);
  }
}

async function update(access: GuardedAccess, id: string, desired: DesiredHook): Promise<ObservedHook> {
  const call = `PATCH ${hooksPath(access.repository)}/${id}`;
  return hookIn(call, await githubApi(access).request(call, written(desired)));
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

/** `egress`: how what githubAPIURL names is called; `onCall`: told of each call. */
export function webhookApi(
  egress: Egress,
  now: () => Date,
  onCall: (call: ProviderCall) => void = () => undefined,
): WebhookApi {
  const lists = new HookLists(now);
  const pauses = new Pauses(() => performance.now());
  const guarded = (access: HookAccess): GuardedAccess => ({ ...access, egress, pauses, onCall });
  const observe: WebhookApi['observe'] = async (access, isOurs, since) =>
    (await lists.read(guarded(access), since)).filter(isOurs);
  return {
    advice,
    observe,
    create: (access, desired, isOurs) =>
      lists.around(access, () => create(guarded(access), desired, () => observe(access, isOurs))),
    update: (access, id, desired) => lists.around(access, () => update(guarded(access), id, desired)),
    remove: (access, id) => lists.around(access, () => remove(guarded(access), id)),
  };
}
