import { dirname } from 'node:path';
import type { KubeObject, ObjectKind, ObjectReference, SourceStatus } from '../controller/objects.ts';
import { keyOf, referenceTo } from '../controller/objects.ts';
import { messageOf } from '../core/errors.ts';
import type { ManifestContent } from './manifest-files.ts';
import type { LocalManifest } from './manifests.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import type { RememberedSource, StateFolder } from './state-folder.ts';

export interface AppliedManifestsOptions {
  readonly cluster: MemoryCluster;
  readonly state: StateFolder;
  /** The files and folders being followed, as absolute paths. */
  readonly paths: readonly string[];
  readonly sources: readonly ObjectKind[];
  /** false: sources are not remembered over a restart, as when their webhooks are not real. */
  readonly remembers: boolean;
  /** What a restart must know could not be written, or was gone; a sentence, said once. */
  readonly onUnsaved: (message: string) => void;
}

/** Makes the cluster hold what the files say, and keeps in the state folder what a restart must know of its sources. */
export class AppliedManifests {
  readonly #options: AppliedManifestsOptions;
  /** Which file each object came from. */
  readonly #files = new Map<string, string>();
  /** Sources of an earlier run that are not in the cluster: their file is not followed now, or broken. */
  #others: readonly RememberedSource[] = [];
  #content: ManifestContent | undefined;
  #unsaved = '';

  constructor(options: AppliedManifestsOptions) {
    this.#options = options;
  }

  /** Reads what an earlier run knew. */
  start(): void {
    const { cluster, state, sources, remembers } = this.#options;
    if (!remembers) return;
    this.#others = state.load();
    for (const kind of sources) cluster.watch(kind, () => this.#save());
  }

  /** After the first call: an object that is gone, but stands in a file, is made anew. */
  apply(content: ManifestContent): void {
    const { cluster, sources } = this.#options;
    const isFirst = this.#content === undefined;
    this.#content = content;
    this.#takeUpFollowed(content.broken);
    this.#sync();
    if (!isFirst) return;
    for (const kind of sources) cluster.watch(kind, (changed) => this.#revive(changed));
  }

  /** The file that an object stands in. */
  fileOf(reference: ObjectReference): string | undefined {
    return this.#files.get(keyOf(reference));
  }

  /** Deletes every source, so that its webhook is removed. */
  deleteSources(): void {
    const { cluster, sources } = this.#options;
    this.#content = undefined;
    this.#takeUpFollowed(new Set());
    for (const source of sources.flatMap((kind) => cluster.all(kind))) cluster.delete(referenceTo(source));
  }

  #sync(): void {
    const { cluster } = this.#options;
    const { manifests = [], broken = new Set<string>() } = this.#content ?? {};
    const wanted = new Map(manifests.map((manifest) => [keyOf({ ...manifest, ...manifest.metadata }), manifest]));
    for (const object of cluster.all()) {
      const key = keyOf(referenceTo(object));
      const file = this.#files.get(key);
      // A broken file says nothing about what is gone from it.
      if (wanted.has(key) || (file !== undefined && broken.has(file))) continue;
      cluster.delete(referenceTo(object));
    }
    for (const [key, manifest] of wanted) {
      this.#apply(manifest);
      this.#files.set(key, manifest.file);
    }
  }

  #apply({ metadata, data, ...rest }: LocalManifest): void {
    const { cluster, state } = this.#options;
    const reference = { ...rest, ...metadata };
    const uid = metadata.uid ?? state.uidOf(reference);
    this.#takeUp(reference);
    const before = cluster.find(reference);
    // Another uid is another object: the one that is there goes first.
    if (before && before.metadata.uid !== uid) cluster.delete(referenceTo(before));
    const left = cluster.find(reference);
    if (left && left.metadata.uid !== uid) return;
    cluster.apply({ ...rest, metadata: { ...metadata, uid }, ...(data && { data, version: state.versionOf(data) }) });
  }

  /** What is gone from the files since an earlier run still has a webhook to lose; a broken file does not tell. */
  #takeUpFollowed(broken: ReadonlySet<string>): void {
    const { paths } = this.#options;
    const isFollowed = (file: string) => paths.includes(file) || paths.includes(dirname(file));
    for (const other of this.#others) if (isFollowed(other.file) && !broken.has(other.file)) this.#restore(other);
  }

  /** A source that is followed in another file now is the one it was. */
  #takeUp(reference: ObjectReference): void {
    const other = this.#others.find(({ object }) => keyOf(referenceTo(object)) === keyOf(reference));
    if (other) this.#restore(other);
  }

  #restore(other: RememberedSource): void {
    const { cluster } = this.#options;
    const { file, object } = other;
    this.#others = this.#others.filter((one) => one !== other);
    if (cluster.find(referenceTo(object))) return;
    this.#files.set(keyOf(referenceTo(object)), file);
    cluster.restore(withoutConditions(object));
  }

  #revive(changed: ObjectReference): void {
    if (this.#options.cluster.find(changed)) return;
    const manifest = this.#content?.manifests.find((one) => keyOf({ ...one, ...one.metadata }) === keyOf(changed));
    if (manifest) this.#apply(manifest);
  }

  #save(): void {
    const { cluster, state, sources } = this.#options;
    const own = sources
      .flatMap((kind) => cluster.all(kind))
      .map((object) => {
        return { file: this.#files.get(keyOf(referenceTo(object))) ?? '', object };
      });
    try {
      const wasGone = state.save([...this.#others, ...own]);
      if (wasGone) this.#options.onUnsaved('the folder that keeps what a restart must know was gone: it is made anew');
      this.#unsaved = '';
    } catch (error) {
      const message = `what a restart must know cannot be kept: ${messageOf(error)}`;
      if (message !== this.#unsaved) this.#options.onUnsaved(message);
      this.#unsaved = message;
    }
  }
}

/** What was true in an earlier run is no finding of this one. */
function withoutConditions(object: KubeObject): KubeObject {
  if (object.status === undefined) return object;
  const { conditions: _earlier, ...status }: SourceStatus = object.status;
  return { ...object, status };
}
