import type { ApplyOptions, KubeKind, LiveObject, ObjectName, WireCluster } from '../../wire/cluster.ts';
import { called, kindText, nameOf, WriteRefused } from '../../wire/cluster.ts';
import type { PlannedObject } from '../../wire/planned-object.ts';

/** A cluster in memory: an object that is applied becomes what was given, and its version changes when it does. */
export class FakeWireCluster implements WireCluster {
  readonly objects = new Map<string, LiveObject>();
  readonly missingKinds = new Set<string>();
  readonly namespaces = new Set(['demo', 'default', 'library', 'eventing']);
  /** `verb Kind namespace`, with `*` for all namespaces. */
  readonly forbidden = new Set<string>();
  /** By name of the object: why the API server refuses it. */
  readonly refused = new Map<string, string>();
  /** What was written, in order. */
  readonly writes: string[] = [];
  #version = 0;

  knows = (kind: KubeKind) => Promise.resolve(!this.missingKinds.has(kindText(kind)));
  hasNamespace = (name: string) => Promise.resolve(this.namespaces.has(name));
  isAllowed = (verb: string, { kind }: KubeKind, namespace = '*') =>
    Promise.resolve(!this.forbidden.has(`${verb} ${kind} ${namespace}`));
  read = (name: ObjectName) => Promise.resolve(this.objects.get(keyOf(name)));

  withLabel({ apiVersion, kind }: KubeKind, label: string, value: string) {
    const all = [...this.objects.values()].filter((one) => one.apiVersion === apiVersion && one.kind === kind);
    return Promise.resolve(all.filter(({ metadata }) => metadata.labels?.[label] === value));
  }

  apply(object: PlannedObject['object'], { isDryRun }: ApplyOptions): Promise<LiveObject> {
    const refusal = this.refused.get(object.metadata.name);
    if (refusal !== undefined) return Promise.reject(new WriteRefused(refusal));
    const key = keyOf(nameOf(object));
    const before = this.objects.get(key);
    const { uid = `uid-${key}`, resourceVersion: version } = before?.metadata ?? {};
    const as = (resourceVersion: string): LiveObject => ({
      ...object,
      metadata: { ...object.metadata, uid, resourceVersion },
    });
    const isSame = version !== undefined && JSON.stringify(as(version)) === JSON.stringify(before);
    const after = as(isSame ? version : String((this.#version += 1)));
    if (!isDryRun) {
      this.objects.set(key, after);
      this.writes.push(`apply ${called(nameOf(object))}`);
    }
    return Promise.resolve(after);
  }

  remove(object: LiveObject): Promise<void> {
    this.writes.push(`remove ${called(nameOf(object))}`);
    this.objects.delete(keyOf(nameOf(object)));
    return Promise.resolve();
  }

  /** Puts an object there as somebody else would. */
  put(object: PlannedObject['object']): void {
    const metadata = { ...object.metadata, uid: `uid-${object.metadata.name}`, resourceVersion: 'put' };
    this.objects.set(keyOf(nameOf(object)), { ...object, metadata });
  }
}

function keyOf({ apiVersion, ...name }: ObjectName): string {
  return `${apiVersion} ${called(name as ObjectName)}`;
}
