import type { Cluster, Objects } from './cluster.ts';
import { keyOf, type ObjectKind, type ObjectReference } from './objects.ts';

/** Which objects each source was made from, so that a change of one brings the source back. */
export class Dependencies {
  readonly #ofSource = new Map<string, Set<string>>();
  readonly #sourcesOf = new Map<string, Set<string>>();

  /** The keys of the sources that were made from this object. */
  dependentsOn(reference: ObjectReference): Iterable<string> {
    return this.#sourcesOf.get(keyOf(reference)) ?? [];
  }

  /** The keys of the sources that named any object of this kind. */
  dependentsOnKind(kind: ObjectKind): Iterable<string> {
    const beginning = keyOf({ ...kind, namespace: '', name: '' }).slice(0, -1);
    const objects = [...this.#sourcesOf].filter(([object]) => object.startsWith(beginning));
    return new Set(objects.flatMap(([, sources]) => [...sources]));
  }

  add(source: string, object: string): void {
    this.#ofSource.set(source, (this.#ofSource.get(source) ?? new Set()).add(object));
    this.#sourcesOf.set(object, (this.#sourcesOf.get(object) ?? new Set()).add(source));
  }

  /** Forgets all but these. */
  retain(source: string, objects: ReadonlySet<string>): void {
    const known = this.#ofSource.get(source) ?? new Set();
    for (const object of known) {
      if (objects.has(object)) continue;
      known.delete(object);
      this.#sourcesOf.get(object)?.delete(source);
      if (this.#sourcesOf.get(object)?.size === 0) this.#sourcesOf.delete(object);
    }
    if (known.size === 0) this.#ofSource.delete(source);
  }
}

/** Reads of objects; each is told of before it is read, so that no change in between is missed. */
export function notingReads(
  cluster: Objects & Pick<Cluster, 'routeObject'>,
  note: (reference: ObjectReference) => void,
): Objects {
  return {
    get: (reference) => {
      note(reference);
      return cluster.get(reference);
    },
    readSecretKey: (namespace, key) => {
      note({ apiVersion: 'v1', kind: 'Secret', namespace, name: key.name });
      return cluster.readSecretKey(namespace, key);
    },
    // A leader that was replaced may have written it late, anybody may have removed it.
    readRoute: (uid) => {
      const carrier = cluster.routeObject(uid);
      if (carrier) note(carrier);
      return cluster.readRoute(uid);
    },
  };
}
