import { randomUUID } from 'node:crypto';
import type { ChildStore, ChildWrite } from '../../controller/children.ts';
import type { AdapterState } from '../../controller/cluster.ts';
import type { KubeObject, ObjectKind, ObjectReference } from '../../controller/objects.ts';
import type { ChildObject } from '../../controller/resources/child.ts';
import type { MemoryCluster } from '../../local/memory-cluster.ts';

/** What the controller makes for single sources, in a cluster in memory. Status is the test's to write. */
export class MemoryChildren implements ChildStore {
  /** Whether Knative Serving is installed. */
  serving = false;
  features: Readonly<Record<string, string>> = {};
  /** What writes of a kind meet, instead of being done. */
  readonly refusals = new Map<string, ChildWrite>();
  /** What was written, as `Kind name`. */
  readonly writes: string[] = [];
  states: readonly AdapterState[] = [];
  readonly #cluster: MemoryCluster;

  constructor(cluster: MemoryCluster) {
    this.#cluster = cluster;
  }

  isInstalled({ apiVersion }: ObjectKind): boolean {
    return this.serving || !apiVersion.startsWith('serving.knative.dev/');
  }

  async knows(kind: ObjectKind): Promise<boolean> {
    return this.isInstalled(kind);
  }

  async apply(child: ChildObject & { readonly data?: Readonly<Record<string, string>> }): Promise<ChildWrite> {
    const refusal = this.refusals.get(child.kind);
    if (refusal) return refusal;
    const reference = { ...child, name: child.metadata.name, namespace: child.metadata.namespace };
    const uid = this.#cluster.find(reference)?.metadata.uid ?? randomUUID();
    const data = new Map(Object.entries(child.data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')]));
    this.writes.push(`${child.kind} ${child.metadata.name}`);
    const { apiVersion, kind, spec, metadata } = child;
    this.#cluster.apply({ apiVersion, kind, spec, metadata: { ...metadata, uid }, data });
    return { kind: 'written', object: this.#cluster.find(reference) as KubeObject };
  }

  async remove(child: ObjectReference): Promise<ChildWrite> {
    const refusal = this.refusals.get(child.kind);
    if (refusal) return refusal;
    this.#cluster.delete(child);
    return { kind: 'gone' };
  }

  async servingFeatures(): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(this.features));
  }

  async statesOf(): Promise<readonly AdapterState[]> {
    return this.states;
  }
}
