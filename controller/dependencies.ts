import type { Cluster, Objects } from './cluster.ts';
import { keyOf, type ObjectKind, type ObjectReference } from './objects.ts';

/**
 * Which objects each source was made from, so that a change of one brings the source back. Most objects are one source's alone,
 * such as its route, and no source has more than a few: a Set for each would be the most of what is kept of a source.
 */
export class Dependencies {
  readonly #ofSource = new Map<string, readonly string[]>();
  readonly #sourcesOf = new Map<string, string | Set<string>>();

  /** The keys of the sources that were made from this object. */
  dependentsOn(reference: ObjectReference): Iterable<string> {
    return each(this.#sourcesOf.get(keyOf(reference)));
  }

  /** The keys of the sources that named any object of this kind. */
  dependentsOnKind(kind: ObjectKind): Iterable<string> {
    const beginning = keyOf({ ...kind, namespace: '', name: '' }).slice(0, -1);
    const objects = [...this.#sourcesOf].filter(([object]) => object.startsWith(beginning));
    return new Set(objects.flatMap(([, sources]) => [...each(sources)]));
  }

  add(source: string, object: string): void {
    const objects = this.#ofSource.get(source) ?? [];
    if (objects.includes(object)) return;
    this.#ofSource.set(source, [...objects, object]);
    const sources = this.#sourcesOf.get(object);
    if (sources === undefined) this.#sourcesOf.set(object, source);
    else if (typeof sources === 'string') this.#sourcesOf.set(object, new Set([sources, source]));
    else sources.add(source);
  }

  /** Forgets all but these. */
  retain(source: string, objects: ReadonlySet<string>): void {
    const known = this.#ofSource.get(source) ?? [];
    for (const object of known) if (!objects.has(object)) this.#forget(source, object);
    const kept = known.filter((object) => objects.has(object));
    if (kept.length === 0) this.#ofSource.delete(source);
    else if (kept.length < known.length) this.#ofSource.set(source, kept);
  }

  #forget(source: string, object: string): void {
    const sources = this.#sourcesOf.get(object);
    if (sources instanceof Set && sources.delete(source) && sources.size > 0) return;
    this.#sourcesOf.delete(object);
  }
}

function each(sources: string | Set<string> | undefined): Iterable<string> {
  return typeof sources === 'string' ? [sources] : (sources ?? []);
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
