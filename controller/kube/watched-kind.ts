import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../core/errors.ts';
import { type ApiObject, ApiStatusError, ListWatch, type ListWatchTimings } from '../../core/list-watch.ts';
import type { Log } from '../../core/log.ts';
import type { Following } from '../cluster.ts';
import type { KubeObject, ObjectKind, ObjectReference } from '../objects.ts';
import type { ApiClient } from './api-client.ts';
import type { Resources } from './resources.ts';
import { type Selection, transportOf } from './transport.ts';

export interface WatchedKindOptions<Kept> extends Pick<Following<Kept>, 'keep' | 'onChange'> {
  readonly api: Pick<ApiClient, 'call' | 'lines' | 'chunks'>;
  readonly resources: Pick<Resources, 'find' | 'forget'>;
  readonly kind: ObjectKind;
  /** undefined: of all. */
  readonly namespace?: string | undefined;
  readonly selection: Omit<Selection<KeptObject<Kept>>, 'keep'>;
  readonly onKnown?: Following<Kept>['onKnown'] | undefined;
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

type Known = Parameters<Following<unknown>['onKnown']>[0];

/** Tells of every change of a kind's objects, also while the kind itself comes and goes. */
export class WatchedKind<Kept> {
  readonly #options: WatchedKindOptions<Kept>;
  readonly #stopped = new AbortController();
  readonly #whenStopped = new Promise<undefined>((resolve) =>
    this.#stopped.signal.addEventListener('abort', () => resolve(undefined), { once: true }),
  );
  #running: Promise<void> = Promise.resolve();
  /** How often the kind was not there, or not to be read, in a row. */
  #misses = 0;
  #said: string | undefined;
  #known: Known | undefined;
  #endPause: () => void = () => undefined;
  #listWatch: ListWatch<KeptObject<Kept>> | undefined;

  constructor(options: WatchedKindOptions<Kept>) {
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

  tellAll(onChange: Following<Kept>['onChange']): void {
    for (const object of this.#listWatch?.all() ?? []) onChange(this.#referenceTo(object), object.kept);
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
    const { api, resources, kind, namespace, selection, keep, log, timings } = this.#options;
    while (!this.#stopped.signal.aborted) {
      let longestMs = ABSENT_MS;
      const resource = await resources.find(kind).catch((error: unknown) => {
        longestMs = FAILED_MS;
        return this.#say(error);
      });
      if (!resource) {
        if (longestMs === ABSENT_MS) this.#tellKnown('no-kind');
        await this.#pauseLonger(longestMs);
        continue;
      }
      const failed = Promise.withResolvers<number>();
      const path = resource.collection(namespace);
      const transport = transportOf<KeptObject<Kept>>(api, path, {
        ...selection,
        keep: (object) => kept(object, keep),
      });
      this.#listWatch = new ListWatch<KeptObject<Kept>>({
        transport,
        onChange: (object) =>
          this.#options.onChange(this.#referenceTo(object), object.kept, object.metadata.resourceVersion),
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
      if (code === 403) this.#tellKnown({ forbidden: ruleFor(resource.plural, kind, namespace) });
      await this.#pauseLonger(code === 403 ? FORBIDDEN_MS : ABSENT_MS);
    }
  }

  #found(): void {
    this.#misses = 0;
    this.#said = undefined;
    this.#tellKnown('all');
  }

  #tellKnown(known: Known): void {
    if (isDeepStrictEqual(known, this.#known)) return;
    this.#known = known;
    this.#options.onKnown?.(known);
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

function ruleFor(plural: string, { apiVersion }: ObjectKind, namespace: string | undefined): string {
  return `get, list and watch on ${plural} (${apiVersion})${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
}

interface KeptObject<Kept> extends ApiObject {
  readonly kept: Kept | undefined;
}

/** A change of anything is a change of the resourceVersion: more need not be kept to tell that something changed. */
function kept<Kept>(object: ApiObject, keep: WatchedKindOptions<Kept>['keep']): KeptObject<Kept> {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  // The API server answers with what its kind has, of which a list of metadata has no more than that.
  return { metadata: { namespace, name, uid, resourceVersion }, kept: keep(object as KubeObject) };
}
