import type { SourcePlan } from '../sources/contract.ts';
import type { Objects } from './cluster.ts';
import type { SecretKeyRef, SourceObject } from './objects.ts';
import { blocked, FORBIDDEN_RETRY, isBlocked, type Step } from './step.ts';

export interface Secrets {
  readonly secretToken: SecretValue;
  /** undefined: the user makes the webhook. */
  readonly accessToken: string | undefined;
}

export interface SecretValue {
  readonly value: string;
  readonly version: string;
}

/** The values a source names, each checked to be usable. */
export async function readSecrets(
  { metadata: { namespace } }: SourceObject,
  { accessToken, secretToken }: Pick<SourcePlan, 'accessToken' | 'secretToken'>,
  objects: Pick<Objects, 'readSecretKey'>,
): Promise<Step<Secrets>> {
  const access = accessToken && (await readValue('AccessToken', namespace, accessToken, objects));
  if (access && isBlocked(access)) return access;
  if (!secretToken) return blocked('SecretTokenNotFound', 'spec.secretToken.secretKeyRef must name a key of a Secret');
  const secret = await readValue('SecretToken', namespace, secretToken, objects);
  if (isBlocked(secret)) return secret;
  return { done: { secretToken: secret.done, accessToken: access?.done.value } };
}

async function readValue(
  what: 'AccessToken' | 'SecretToken',
  namespace: string,
  { name, key }: SecretKeyRef,
  objects: Pick<Objects, 'readSecretKey'>,
): Promise<Step<SecretValue>> {
  const field = `spec.${what === 'AccessToken' ? 'accessToken' : 'secretToken'}`;
  const lookup = await objects.readSecretKey(namespace, { name, key });
  if (lookup.found === 'no-secret') {
    return blocked(
      `${what}NotFound`,
      `secret "${name}" not found: create it in namespace ${namespace} (${field} names it)`,
    );
  }
  if (lookup.found === 'forbidden') {
    const message = `the controller may not read secret "${name}" in namespace ${namespace} (${field} names it): give its ServiceAccount ${lookup.rule}`;
    return blocked(`${what}Forbidden`, message, FORBIDDEN_RETRY);
  }
  if (lookup.found === 'no-key') {
    return blocked(`${what}NotFound`, `key "${key}" not found in secret "${name}": add it (${field} names it)`);
  }
  const { value, version } = lookup;
  const fault = faultOf(value) ?? (what === 'AccessToken' && !TOKEN.test(value) ? NOT_A_TOKEN : undefined);
  if (fault) return blocked(`${what}Invalid`, `key "${key}" of secret "${name}" ${fault} (${field} names it)`);
  return { done: { value, version } };
}

/** What a header can carry (RFC 9110, 5.5), of which tokens are made. */
const TOKEN = /^[\x21-\x7e]+$/;
const NOT_A_TOKEN = 'is no access token: it has characters other than plain ASCII';

function faultOf(value: string): string | undefined {
  if (value === '') return 'is empty: give it a value';
  // "echo token | base64" and editors leave one behind.
  if (/[\r\n]/.test(value))
    return 'holds a line break: write the value without one, such as with kubectl create secret --from-literal';
  // oxlint-disable-next-line no-control-regex -- a header can hold none of them
  return /[\x00-\x1f\x7f]/.test(value) ? 'holds a control character: write the value without it' : undefined;
}
