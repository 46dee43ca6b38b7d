import { createHash } from 'node:crypto';
import type { KubeObject, Metadata, ObjectKind, SourceObject } from '../objects.ts';

/** An object made for one source, as it is to be applied. */
export interface ChildObject extends ObjectKind {
  readonly metadata: Pick<Metadata, 'name' | 'namespace' | 'labels' | 'annotations' | 'ownerReferences'>;
  readonly spec?: object;
}

/** Of everything that belongs to the adapter of one source, pods included. */
export const UID_LABEL = 'headwater.dev/source-uid';
const MARK = 'headwater.dev/applied';

/** Serving names revisions `<name>-00001`, in 63 characters. */
const LONGEST_NAME = 57;
/** What a Service's name may be (RFC 1035). */
const LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** `<name>-<kind><ending>`; where that is no name for a Service, or too long, cut and with a hash. */
export function childNameOf({ kind, metadata: { name } }: SourceObject, ending = ''): string {
  const suffix = `-${kind.toLowerCase()}${ending}`;
  const whole = name + suffix;
  if (whole.length <= LONGEST_NAME && LABEL.test(whole)) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 10);
  const head = name.replace(/[^a-z0-9]+/g, '-').replace(/^(?![a-z])/, 's');
  const cut = head.slice(0, LONGEST_NAME - suffix.length - hash.length - 1).replace(/-+$/, '');
  return `${cut}-${hash}${suffix}`;
}

/** Owned by its source, and removed with it by the cluster's garbage collection. */
export function childMetadata(source: SourceObject, name: string): ChildObject['metadata'] {
  const { apiVersion, kind, metadata } = source;
  const { namespace, uid } = metadata;
  return {
    name,
    namespace,
    labels: labelsOf(source),
    ownerReferences: [{ apiVersion, kind, name: metadata.name, uid, controller: true, blockOwnerDeletion: true }],
  };
}

export function labelsOf({ metadata: { uid } }: SourceObject): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/name': 'headwater-adapter',
    'app.kubernetes.io/managed-by': 'headwater',
    [UID_LABEL]: uid,
  };
}

/** With a mark by which one that was applied otherwise is told apart, also where it had more fields. */
export function withMark(child: ChildObject): ChildObject {
  const mark = createHash('sha256').update(JSON.stringify(child)).digest('hex').slice(0, 16);
  return { ...child, metadata: { ...child.metadata, annotations: { ...child.metadata.annotations, [MARK]: mark } } };
}

/** Whether a marked child is there as it was applied: fields that others added do not count, those they changed do. */
export function isAsApplied(found: KubeObject, wanted: ChildObject): boolean {
  return holds(found, wanted);
}

/** Quantities are stored in another form than given; the mark tells when they change here. */
const STORED_OTHERWISE = 'resources';

function holds(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return found === wanted;
  if (typeof found !== 'object' || found === null) return Object.keys(wanted).length === 0;
  return Object.entries(wanted).every(
    ([name, value]) =>
      value === undefined || name === STORED_OTHERWISE || holds((found as Record<string, unknown>)[name], value),
  );
}
