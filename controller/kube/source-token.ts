import { ApiStatusError } from '../../core/list-watch.ts';
import { AdmissionError } from '../admission-error.ts';
import type { TokenLookup } from '../cluster.ts';
import type { SourceObject } from '../objects.ts';
import { serviceAccountNameOf, serviceAccountOf } from '../resources/service-account.ts';
import type { ApiClient } from './api-client.ts';
import { applyObject } from './apply.ts';

/** In seconds. An API server may give tokens of another length: what counts is what the token says. */
const LIFE_S = 3600;
const RULE = 'create and patch on serviceaccounts, and create on serviceaccounts/token';

/** A token of the source's own ServiceAccount, which is made where it is missing. */
export async function requestSourceToken(
  api: Pick<ApiClient, 'call'>,
  source: SourceObject,
  audience: string,
): Promise<TokenLookup> {
  const namespace = encodeURIComponent(source.metadata.namespace);
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${encodeURIComponent(serviceAccountNameOf(source))}`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [audience], expirationSeconds: LIFE_S },
  };
  try {
    await applyObject(api, path, serviceAccountOf(source));
    const { status } = await api.call<{ status: { token: string } }>('POST', `${path}/token`, { body });
    return { found: 'token', value: status.token };
  } catch (error) {
    // What an admission webhook refuses, no right gives.
    const isForbidden = error instanceof ApiStatusError && !(error instanceof AdmissionError) && error.code === 403;
    if (isForbidden) return { found: 'forbidden', rule: RULE };
    throw error;
  }
}
