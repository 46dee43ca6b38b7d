import type { Following, Watcher } from '../cluster.ts';
import { type KubeObject, keyOf, matterOf, type ObjectKind } from '../objects.ts';
import type { OwnWrites } from './own-writes.ts';
import { METADATA_ONLY } from './transport.ts';
import { WatchedKind, type WatchedKindOptions } from './watched-kind.ts';

export interface WatchedKindsOptions extends Pick<WatchedKindOptions<string>, 'api' | 'resources' | 'log' | 'timings'> {
  /** Of the sources that are served; empty: all. */
  readonly namespaces: readonly string[];
  readonly onWatchFailure?: WatchedKindOptions<string>['onFailure'];
  /** Called with a kind that is watched, was not there, and is now. */
  readonly onKind?: ((kind: ObjectKind) => void) | undefined;
  readonly ownWrites: Pick<OwnWrites, 'tellOthers'>;
}

interface Watched {
  readonly kind: WatchedKind<string>;
  readonly watchers: Set<Watcher>;
}

/** What is watched of a cluster, each kind once; where namespaces are listed, once in each that counts. */
export class WatchedKinds {
  readonly #options: WatchedKindsOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #followed: { readonly apiVersion: string; readonly kind: Omit<WatchedKind<unknown>, 'tellAll'> }[] = [];

  constructor(options: WatchedKindsOptions) {
    this.#options = options;
  }

  /** `Cluster.watch`. */
  watch({ apiVersion, kind, namespace }: ObjectKind & { readonly namespace?: string }, onChange: Watcher): void {
    const { namespaces } = this.#options;
    const ofSources = namespaces.length === 0 ? [undefined] : namespaces;
    const places = namespaces.length === 0 || namespace === undefined ? ofSources : [namespace];
    for (const place of places) this.#watchIn(place, { apiVersion, kind }, onChange);
  }

  /** `Cluster.follow`. */
  follow<Kept>({ kind, namespace, name, ...told }: Following<Kept>): void {
    const { api, resources, log, timings, onWatchFailure: onFailure } = this.#options;
    const selection = name === undefined ? {} : { fieldSelector: `metadata.name=${name}` };
    const rest = { onFailure, log, timings };
    const followed = new WatchedKind<Kept>({ api, resources, kind, namespace, selection, ...told, ...rest });
    this.#followed.push({ apiVersion: kind.apiVersion, kind: followed });
    followed.start();
  }

  /** Of all objects that are watched now. */
  uids(): ReadonlySet<string> {
    return new Set([...this.#watched.values()].flatMap(({ kind }) => kind.uids()));
  }

  /** Kinds of an API group may have come. */
  lookNow(group: string): void {
    for (const [key, { kind }] of this.#watched) if (key.startsWith(`${group}/`)) kind.lookNow();
    for (const { apiVersion, kind } of this.#followed) if (apiVersion.startsWith(`${group}/`)) kind.lookNow();
  }

  async stop(): Promise<void> {
    const all = [...this.#watched.values(), ...this.#followed];
    await Promise.all(all.map(({ kind }) => kind.stop()));
  }

  #watchIn(namespace: string | undefined, kind: ObjectKind, watcher: Watcher): void {
    const key = `${kind.apiVersion} ${kind.kind} ${namespace ?? ''}`;
    const known = this.#watched.get(key);
    if (known) {
      if (known.watchers.has(watcher)) return;
      known.watchers.add(watcher);
      known.kind.tellAll(watcher);
      return;
    }
    const { api, resources, log, timings, onWatchFailure: onFailure, onKind, ownWrites } = this.#options;
    const watchers = new Set([watcher]);
    const tell: Following<string>['onChange'] = (changed, matter, version) =>
      ownWrites.tellOthers(keyOf(changed), version, () => {
        for (const one of watchers) one(changed, matter);
      });
    const selection = selectionOf(kind);
    let wasAbsent = false;
    const onKnown: WatchedKindOptions<string>['onKnown'] = (state) => {
      if (wasAbsent && state === 'all') onKind?.(kind);
      wasAbsent = state === 'no-kind';
    };
    const told = { keep: ({ metadata }: KubeObject) => matterOf(metadata), onChange: tell, onKnown, onFailure, log };
    const watched = new WatchedKind<string>({ api, resources, kind, namespace, selection, ...told, timings });
    this.#watched.set(key, { kind: watched, watchers });
    watched.start();
  }
}

function selectionOf({ apiVersion, kind }: ObjectKind): WatchedKindOptions<string>['selection'] {
  const isSecret = apiVersion === 'v1' && kind === 'Secret';
  // Helm keeps its releases in Secrets of a megabyte each.
  return isSecret ? { fieldSelector: 'type!=helm.sh/release.v1', accept: METADATA_ONLY } : { accept: METADATA_ONLY };
}
