import { createHash } from 'node:crypto';
import type { V1ObjectMeta } from '@kubernetes/client-node';
import type { SecretKeyRef } from '../sources/contract.ts';
import type { CommonSpec } from '../sources/fields.ts';

/** As the API server writes it; client-node's own type has times that are parsed already. */
export interface Metadata {
  readonly labels?: V1ObjectMeta['labels'] | undefined;
  readonly annotations?: V1ObjectMeta['annotations'] | undefined;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: V1ObjectMeta['ownerReferences'] | undefined;
  readonly resourceVersion?: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  /** Counts the changes of `spec`. */
  readonly generation: number;
  /** RFC 3339. */
  readonly creationTimestamp: string;
  /** RFC 3339; set once somebody deleted it and finalizers keep it. */
  readonly deletionTimestamp?: string;
}

export interface ObjectKind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ObjectReference extends ObjectKind {
  readonly namespace: string;
  readonly name: string;
}

export interface KubeObject extends ObjectKind {
  readonly metadata: Metadata;
  readonly spec?: object | undefined;
  readonly status?: object | undefined;
}

export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  /** Info or Warning: it has no part in `Ready`. */
  readonly severity?: string;
  readonly reason?: string;
  readonly message?: string;
  /** RFC 3339; moves only when `status` does. */
  readonly lastTransitionTime: string;
}

/** A webhook made for a source. */
export interface HookRecord {
  /** Base URL of the provider's API. */
  readonly api: string;
  readonly repository: string;
  readonly id: string;
  /** Which version of the Secret it was written with. */
  readonly secretVersion: string;
  /** A short text for what the provider made of it, where that is not as it was written; and for what was. */
  readonly keptAs?: string;
}

/** A webhook the user makes, and whether a delivery came by it. */
export interface ManualHook {
  readonly webhookURL: string;
  readonly secretVersion: string;
  /** The generation of the route in which that secret became the present one, or later. */
  readonly routeGeneration: number;
  /** RFC 3339: since when a delivery under this URL and secret is waited for. */
  readonly since: string;
  /** RFC 3339: when one was seen. */
  readonly firstDelivery?: string;
}

/** What the controller writes; `sources/crd.ts` holds its schema. */
export interface SourceStatus {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly sinkUri?: string;
  readonly sinkCACerts?: string;
  readonly sinkAudience?: string;
  readonly deadLetterSinkUri?: string;
  /** Whose tokens events are sent with. */
  readonly auth?: { readonly serviceAccountName: string };
  readonly ceAttributes?: readonly { readonly type: string; readonly source: string }[];
  readonly webhookURL?: string;
  readonly webhookIDKey?: string;
  readonly hooks?: readonly HookRecord[];
  readonly manualHook?: ManualHook;
}

/** A source of any kind. */
export interface SourceObject extends KubeObject {
  readonly spec: CommonSpec;
  readonly status?: SourceStatus | undefined;
}

export type { SecretKeyRef };

/**
 * A short text that is another when more of an object changed than its status, which is written here. Also of what a watch
 * of metadata alone tells.
 */
export function matterOf({
  uid,
  generation,
  deletionTimestamp,
  annotations,
}: Partial<Pick<Metadata, 'uid' | 'generation' | 'deletionTimestamp' | 'annotations'>>): string {
  const matter = JSON.stringify([uid, generation, deletionTimestamp, annotations]);
  return createHash('sha256').update(matter).digest('base64').slice(0, 16);
}

export function conditionOf({ status }: Pick<SourceObject, 'status'>, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export function referenceTo({ apiVersion, kind, metadata: { namespace, name } }: KubeObject): ObjectReference {
  return { apiVersion, kind, namespace, name };
}

/** One text for one object, whatever version of its kind it is asked for by. */
export function keyOf({ apiVersion, kind, namespace, name }: ObjectReference): string {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  return [group, kind, namespace, name].join('|');
}

/** `Broker demo/default`, as sentences name it. */
export function nameOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind} ${namespace}/${name}`;
}
