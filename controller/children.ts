import type { AdapterState, Lookup, Objects } from './cluster.ts';
import type { KubeObject, ObjectKind, ObjectReference, SourceObject } from './objects.ts';
import { type ChildObject, isAsApplied, withMark } from './resources/child.ts';
import { blocked, FORBIDDEN_RETRY, type Retry, type Step } from './step.ts';

/** `why`: the words of the API server, or of the admission webhook that refused. */
export type ChildWrite =
  | { readonly kind: 'written'; readonly object: KubeObject }
  | { readonly kind: 'gone' }
  | { readonly kind: 'forbidden'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string };

/** What is made for one source in its own namespace. */
export interface ChildStore {
  /** Whether the cluster has such a kind. */
  knows(kind: ObjectKind): Promise<boolean>;
  /** Made, or its fields that are given become so. */
  apply(child: ChildObject): Promise<ChildWrite>;
  /** That very one, by its uid; also resolves when it is gone already. */
  remove(child: ObjectReference & { readonly uid: string }): Promise<ChildWrite>;
  /** What Knative Serving's `config-features` says, by name; empty: all is as Serving has it by default. */
  servingFeatures(): Promise<ReadonlyMap<string, string>>;
  /** Of every ready replica of the source's own adapter. */
  statesOf(source: SourceObject): Promise<readonly AdapterState[]>;
}

/** Where sources have no adapters of their own. */
export const NO_CHILDREN: ChildStore = {
  knows: async () => false,
  apply: async () => ({ kind: 'forbidden', why: 'there are none here' }),
  remove: async () => ({ kind: 'gone' }),
  servingFeatures: async () => new Map(),
  statesOf: async () => [],
};

export interface ChildDeps {
  readonly objects: Pick<Objects, 'get'>;
  readonly children: ChildStore;
}

/** What was refused may be admitted later, when a policy or another webhook changed. */
const REFUSED_RETRY: Retry = { when: 'backoff', longestMs: 60_000 };

/** Makes a child be as it should; written only on difference. Resolves to it as it is then. */
export async function ensureChild(
  source: SourceObject,
  child: ChildObject,
  { objects, children }: ChildDeps,
): Promise<Step<KubeObject>> {
  const wanted = withMark(child);
  const { name, namespace } = child.metadata;
  const lookup = await objects.get({ apiVersion: child.apiVersion, kind: child.kind, namespace, name });
  if (lookup.found === 'forbidden') return notEnabled(`give it ${lookup.rule}`);
  if (lookup.found === 'object') {
    if (!isChildOf(source, lookup.object)) return taken(child, lookup.object);
    if (isAsApplied(lookup.object, wanted)) return { done: lookup.object };
  }
  return stepOf(await children.apply(wanted), child);
}

/** Removes the source's child of that name, if there is one. Resolves to why it stays. */
export async function removeChild(
  source: SourceObject,
  reference: ObjectReference,
  { objects, children }: ChildDeps,
): Promise<string | undefined> {
  const lookup = await objects.get(reference);
  if (lookup.found === 'forbidden') return `the controller needs ${lookup.rule}`;
  if (!isChildThere(source, lookup)) return undefined;
  const write = await children.remove({ ...reference, uid: lookup.object.metadata.uid });
  return write.kind === 'forbidden' || write.kind === 'refused' ? write.why : undefined;
}

function stepOf(write: ChildWrite, { kind, metadata }: ChildObject): Step<KubeObject> {
  switch (write.kind) {
    case 'written':
      return { done: write.object };
    case 'forbidden':
      return notEnabled(write.why);
    case 'refused':
      return blocked('AdapterRefused', `${kind} ${metadata.name} is refused: ${write.why}`, REFUSED_RETRY);
    case 'gone':
      return blocked('AdapterRefused', `${kind} ${metadata.name} is gone again`, { when: 'backoff' });
    default:
      return write satisfies never;
  }
}

function notEnabled(why: string): Step<never> {
  const message = `the controller may not make adapters for single sources: apply config/dedicated, or set spec.adapter.mode to shared (${why})`;
  return blocked('DedicatedNotEnabled', message, FORBIDDEN_RETRY);
}

/** Of a source of the same name that is gone, the cluster is about to remove it. */
function taken({ kind, metadata }: ChildObject, { metadata: { ownerReferences = [] } }: KubeObject): Step<never> {
  const message = `${kind} ${metadata.name} is there already, and is not this source's: remove or rename it`;
  return blocked('AdapterNameTaken', message, ownerReferences.length > 0 ? { when: 'backoff' } : { when: 'changed' });
}

/** Whether what was found is the source's, and stays. */
export function isChildThere(source: SourceObject, lookup: Lookup): lookup is Lookup & { found: 'object' } {
  return (
    lookup.found === 'object' &&
    isChildOf(source, lookup.object) &&
    lookup.object.metadata.deletionTimestamp === undefined
  );
}

function isChildOf({ metadata: { uid } }: SourceObject, { metadata: { ownerReferences = [] } }: KubeObject): boolean {
  return ownerReferences.some((owner) => owner.controller === true && owner.uid === uid);
}
