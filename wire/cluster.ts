import type { KubeManifest } from './model.ts';

/** A kind of objects of the Kubernetes API. */
export interface KubeKind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ObjectName extends KubeKind {
  readonly namespace: string;
  readonly name: string;
}

/** An object as a cluster has it. */
export interface LiveObject extends KubeManifest {
  readonly metadata: KubeManifest['metadata'] & {
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}

export interface ApplyOptions {
  /** Nothing is kept: the answer is what would be. */
  readonly isDryRun: boolean;
  /** Take over fields that others set. */
  readonly force: boolean;
}

/** All that wiring asks of a cluster. Everything rejects with what the transport throws when the cluster is not reached. */
export interface WireCluster {
  /** Whether the cluster has the kind. */
  knows(kind: KubeKind): Promise<boolean>;
  hasNamespace(name: string): Promise<boolean>;
  /** `namespace` undefined: in all. */
  isAllowed(verb: 'get' | 'list' | 'create' | 'patch' | 'delete', kind: KubeKind, namespace?: string): Promise<boolean>;
  /** undefined: there is none. */
  read(name: ObjectName): Promise<LiveObject | undefined>;
  /** All objects of a kind with the label, of all namespaces. */
  withLabel(kind: KubeKind, label: string, value: string): Promise<readonly LiveObject[]>;
  /**
   * Server-side apply; resolves to the object as it is then.
   * @throws WriteRefused
   */
  apply(
    object: KubeManifest & { readonly metadata: { readonly namespace: string } },
    options: ApplyOptions,
  ): Promise<LiveObject>;
  /**
   * Deletes this object, and no other that has its name by now; resolves when the API server took it.
   * @throws WriteRefused
   */
  remove(object: LiveObject): Promise<void>;
}

/** The API server did not take a write; the message is its own. */
export class WriteRefused extends Error {
  override name = 'WriteRefused';
}

export function nameOf({
  apiVersion,
  kind,
  metadata,
}: KubeManifest & { readonly metadata: { readonly namespace: string } }): ObjectName {
  return { apiVersion, kind, namespace: metadata.namespace, name: metadata.name };
}

/** `Trigger demo/hello` */
export function called({ kind, namespace, name }: ObjectName): string {
  return `${kind} ${namespace}/${name}`;
}

export function kindText({ apiVersion, kind }: KubeKind): string {
  return `${kind} (${apiVersion})`;
}
