import type { Condition, KubeObject, ObjectKind, ObjectReference, SourceStatus } from '../controller/objects.ts';
import { keyOf, nameOf, referenceTo } from '../controller/objects.ts';
import type { Report, SourceRow } from './dev-line.ts';
import type { MemoryCluster } from './memory-cluster.ts';

/** So long the table waits for what comes along with a change. */
const SETTLE_MS = 100;

/** Says each change of a condition, and the table of sources when it is another. */
export class ObservedObjects {
  readonly #cluster: MemoryCluster;
  readonly #report: Report;
  readonly #sources: readonly ObjectKind[];
  readonly #said = new Map<string, string>();
  #table = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(cluster: MemoryCluster, sources: readonly ObjectKind[], report: Report) {
    this.#cluster = cluster;
    this.#sources = sources;
    this.#report = report;
  }

  watch(kinds: readonly ObjectKind[]): void {
    for (const kind of kinds) this.#cluster.watch(kind, (changed) => this.#look(changed));
  }

  /** Says at once what would be said soon. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#sayTable();
  }

  stop(): void {
    this.flush();
  }

  #look(changed: ObjectReference): void {
    const object = this.#cluster.find(changed);
    if (object) this.#sayConditions(object);
    else if (this.#forget(changed)) this.#report({ type: 'gone', object: nameOf(changed) });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#sayTable(), SETTLE_MS);
  }

  #forget(gone: ObjectReference): boolean {
    const keys = [...this.#said.keys()].filter((key) => key.startsWith(`${keyOf(gone)} `));
    for (const key of keys) this.#said.delete(key);
    return keys.length > 0;
  }

  #sayConditions(object: KubeObject): void {
    for (const { lastTransitionTime: _since, ...condition } of conditionsOf(object)) {
      const key = `${keyOf(referenceTo(object))} ${condition.type}`;
      const text = JSON.stringify(condition);
      // Unknown without a reason is where every condition begins: nothing is known, so nothing is said.
      const isBlank = condition.status === 'Unknown' && condition.reason === undefined;
      if (this.#said.get(key) === text || (isBlank && !this.#said.has(key))) continue;
      this.#said.set(key, text);
      this.#report({ type: 'condition', object: nameOf(referenceTo(object)), condition });
    }
  }

  #sayTable(): void {
    const rows = this.#sources.flatMap((kind) => this.#cluster.all(kind)).map(rowOf);
    const table = JSON.stringify(rows);
    // Before anything is known, and where there is nothing, there is nothing to show.
    const isBlank = rows.every(({ ready }) => ready === '') && this.#table === '';
    if (table === this.#table || isBlank) return;
    this.#table = table;
    this.#report({ type: 'sources', sources: rows });
  }
}

export function conditionsOf({ status }: KubeObject): readonly Condition[] {
  const { conditions = [] }: { conditions?: readonly Condition[] } = status ?? {};
  return conditions;
}

function rowOf(source: KubeObject): SourceRow {
  const { namespace, name, creationTimestamp: created } = source.metadata;
  const ready = conditionsOf(source).find(({ type }) => type === 'Ready');
  // Without conditions it is what an earlier run found.
  const { webhookURL: url = '', sinkUri: sink = '' }: SourceStatus = (ready && source.status) ?? {};
  return {
    kind: source.kind,
    namespace,
    name,
    ready: ready?.status ?? '',
    reason: ready?.reason ?? '',
    url,
    sink,
    created,
  };
}
