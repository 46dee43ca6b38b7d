import { createHash } from 'node:crypto';
import type { SourceObject } from '../objects.ts';

const LONGEST_NAME = 63;
const LONGEST_HEAD = 31;

/**
 * The ServiceAccount a source's tokens are for. Knative's rule (`auth.GetOIDCServiceAccountNameForResource`, with
 * `kmeta.ChildName`), so that policies that name accounts of its sources hold for these: `<name>-oidc-<group>-<kind>`;
 * where that is too long, the start of the name and a hash.
 */
export function serviceAccountNameOf({ apiVersion, kind, metadata: { name } }: SourceObject): string {
  const suffix = `-oidc-${apiVersion.split('/')[0]}-${kind}`;
  const whole = name + suffix;
  if (whole.length <= LONGEST_NAME) return whole.toLowerCase();
  // Of the kind as it is written: only then it is in lower case. ChildName does otherwise with suffixes of 30 characters
  // and less, which none here is.
  const hash = createHash('md5').update(whole).digest('hex');
  const cut = (name.slice(0, LONGEST_HEAD) + hash + suffix).slice(0, LONGEST_NAME);
  return cut.replace(/[^A-Za-z0-9]+$/, '').toLowerCase();
}

/** Owned by its source, and removed with it by the cluster's garbage collection. */
export function serviceAccountOf(source: SourceObject): object {
  const { apiVersion, kind, metadata } = source;
  const { name, namespace, uid } = metadata;
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name: serviceAccountNameOf(source),
      namespace,
      labels: { 'app.kubernetes.io/managed-by': 'headwater' },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }],
    },
  };
}
