import { messageOf } from '../../core/errors.ts';
import { type ApiObject, ApiStatusError, ListWatch, type ListWatchTimings } from '../../core/list-watch.ts';
import type { Log } from '../../core/log.ts';
import type { Watcher } from '../cluster.ts';
import { type Metadata, matterOf, type ObjectKind, type ObjectReference } from '../objects.ts';
import type { ApiClient } from './api-client.ts';
import type { Resources } from './resources.ts';
import { type Selection, transportOf } from './transport.ts';

export interface WatchedKindOptions {
  readonly api: Pick<ApiClient, 'call' | 'lines' | 'chunks'>;
  readonly resources: Pick<Resources, 'find' | 'forget'>;
  readonly kind: ObjectKind;
  /** undefined: of all. */
  readonly namespace?: string | undefined;
  readonly selection: Omit<Selection<KeptObject>, 'keep'>;
  readonly onChange: Watcher;
  /** Called with each failure, after which it is tried again. */
  readonly onFailure?: (() => void) | undefined;
  readonly log: Log;
  readonly timings?: Partial<ListWatchTimings> | undefined;
}

/**
 * A kind that is not there is asked for later and later, in case nobody tells when it comes. When somebody does, that begins
 * anew: the server itself knows the kind a moment later.
 */
const FIRST_MS = 100;
const ABSENT_MS = 300_000;
/** The longest wait for a server that does not answer. */
const FAILED_MS = 10_000;
/** The longest wait for a right: one that comes with the kind is there a moment after it. */
const FORBIDDEN_MS = 10_000;

/** Tells of every change of a kind's objects, also while the kind itself comes and goes. */
export class WatchedKind {
  readonly #options: WatchedKindOptions;
  readonly #stopped = new AbortController();
  readonly #whenStopped = new Promise<undefined>((resolve) =>
    this.#stopped.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  #running: Promise<void> = Promise.resolve();
  /** How often the kind was not there, or not to be read, in a row. */
  #misses = 0;
  #said: string | undefined;
  #endPause: () => void = () => undefined;
  #listWatch: ListWatch<KeptObject> | undefined;

  constructor(options: WatchedKindOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#listWatch?.stop();
    await this.#running;
  }

  tellAll(watcher: Watcher): void {
    for (const object of this.#listWatch?.all() ?? []) watcher(this.#referenceTo(object), object.matter);
  }

  uids(): readonly string[] {
    return (this.#listWatch?.all() ?? []).flatMap(({ metadata: { uid } }) => uid ?? []);
  }

  /** It may have been installed just now. */
  lookNow(): void {
    this.#misses = 0;
    this.#endPause();
  }

  async #run(): Promise<void> {
    const { api, resources, kind, namespace, selection, log, timings } = this.#options;
    while (!this.#stopped.signal.aborted) {
      let longestMs = ABSENT_MS;
      const resource = await resources.find(kind).catch((error: unknown) => {
        longestMs = FAILED_MS;
        return this.#say(error);
      });
      if (!resource) {
        await this.#pauseLonger(longestMs);
        continue;
      }
      const failed = Promise.withResolvers<number>();
      const path = resource.collection(namespace);
      const transport = transportOf<KeptObject>(api, path, { ...selection, keep: kept });
      this.#listWatch = new ListWatch<KeptObject>({
        transport,
        onChange: (object) => this.#options.onChange(this.#referenceTo(object), object.matter),
        onGone: (object) => this.#options.onChange(this.#referenceTo(object), undefined),
        onFailure: (error) => {
          this.#say(error);
          if (error instanceof ApiStatusError && (error.code === 404 || error.code === 403)) failed.resolve(error.code);
        },
        ...(timings && { timings }),
      });
      void this.#listWatch.firstList.then(() => this.#found());
      this.#listWatch.start();
      log.debug({ kind: kind.kind }, 'watched');
      const code = await Promise.race([failed.promise, this.#whenStopped]);
      await this.#listWatch.stop();
      if (code === undefined) return;
      // The kind is gone, and its objects with it.
      const gone = this.#listWatch.all();
      this.#listWatch = undefined;
      resources.forget(kind);
      for (const object of gone) this.#options.onChange(this.#referenceTo(object), undefined);
      await this.#pauseLonger(code === 403 ? FORBIDDEN_MS : ABSENT_MS);
    }
  }

  #found(): void {
    this.#misses = 0;
    this.#said = undefined;
  }

  /** Once, however often it is tried. */
  #say(error: unknown): undefined {
    const { kind, namespace, log, onFailure } = this.#options;
    if (this.#stopped.signal.aborted) return undefined;
    const message = messageOf(error);
    if (message !== this.#said) log.warn({ kind: kind.kind, namespace, error: message }, 'watch failed; tried again');
    this.#said = message;
    onFailure?.();
    return undefined;
  }

  #referenceTo({ metadata: { namespace = '', name } }: ApiObject): ObjectReference {
    const { apiVersion, kind } = this.#options.kind;
    return { apiVersion, kind, namespace, name };
  }

  async #pauseLonger(longestMs: number): Promise<void> {
    const ms = Math.min(FIRST_MS * 2 ** Math.min(this.#misses, 30), longestMs);
    this.#misses += 1;
    const over = Promise.withResolvers<void>();
    this.#endPause = over.resolve;
    const timer = setTimeout(over.resolve, ms);
    await Promise.race([over.promise, this.#whenStopped]);
    clearTimeout(timer);
  }
}

interface KeptObject extends ApiObject {
  readonly matter: string;
}

/** A change of anything is a change of the resourceVersion: more need not be kept to tell that something changed. */
function kept({ metadata }: ApiObject): KeptObject {
  const { namespace, name, uid, resourceVersion } = metadata;
  return { metadata: { namespace, name, uid, resourceVersion }, matter: matterOf(metadata as Partial<Metadata>) };
}
