import { setTimeout as sleep } from 'node:timers/promises';

/** What every object of the Kubernetes API has. */
export interface ApiObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly uid?: string | undefined;
    readonly resourceVersion?: string | undefined;
  };
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly resourceVersion: string;
  /** Where the next page begins; undefined: this was the last. */
  readonly continue: string | undefined;
}

/** One line of a watch; of an ERROR the object is a Status, of a BOOKMARK nothing but its resourceVersion counts. */
export interface WatchEvent {
  readonly type: string;
  readonly object: unknown;
}

/** How a list-watch talks to an API server. Both methods reject with ApiStatusError where the server refused. */
export interface ListWatchTransport<Item extends ApiObject> {
  list(
    page: { readonly limit: number; readonly continue: string | undefined },
    signal: AbortSignal,
  ): Promise<Page<Item>>;
  /** With `allowWatchBookmarks`; ends when the server ends it, throws when the connection is lost. */
  watch(
    from: { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent>;
}

/** The API server refused a request. */
export class ApiStatusError extends Error {
  override name = 'ApiStatusError';
  readonly code: number;
  constructor(request: string, code: number, reason: string, options?: ErrorOptions) {
    super(`${request}: ${code} ${reason}`, options);
    this.code = code;
  }
}

export interface ListWatchOptions<Item extends ApiObject> {
  readonly transport: ListWatchTransport<Item>;
  /** Called with an object that appeared or changed, as it is now. */
  readonly onChange: (item: Item) => void;
  /** Called with an object that is gone, as it was. */
  readonly onGone: (item: Item) => void;
  /** Called with every failure, before the next try; a kind that is not there is ApiStatusError 404. */
  readonly onFailure: (error: unknown) => void;
  readonly timings?: Partial<ListWatchTimings>;
}

/** Milliseconds, but where seconds are named. */
export interface ListWatchTimings {
  readonly pageSize: number;
  /** So long a server keeps one watch open. */
  readonly watchSeconds: number;
  /** So long a page of a list may take. */
  readonly pageMs: number;
  /** A watch that says nothing for so long is taken for dead: servers send a bookmark about once a minute. */
  readonly silenceMs: number;
  readonly firstRetryMs: number;
  readonly longestRetryMs: number;
}

const TIMINGS: ListWatchTimings = {
  pageSize: 500,
  watchSeconds: 290,
  pageMs: 60_000,
  silenceMs: 100_000,
  firstRetryMs: 100,
  longestRetryMs: 10_000,
};

const GONE = 410;

/** `namespace/name`, or `name` of what has no namespace. */
export function apiKeyOf({ metadata: { namespace, name } }: ApiObject): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/**
 * All objects of one kind, kept as they are at the API server: a list in pages, then a watch that is resumed where it
 * ended. After 410, a lost connection or an error the list is made again, and what changed meanwhile is told: no change
 * is missed, though several of one object may be told as one.
 */
export class ListWatch<Item extends ApiObject> {
  readonly #options: ListWatchOptions<Item>;
  readonly #timings: ListWatchTimings;
  readonly #items = new Map<string, Item>();
  readonly #stopped = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #isComplete = false;
  #failures = 0;
  readonly #firstList = Promise.withResolvers<void>();

  constructor(options: ListWatchOptions<Item>) {
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  /** Whether a list was read to its end since the last failure to read one. */
  get isComplete(): boolean {
    return this.#isComplete;
  }

  /** Resolves when a list was read to its end for the first time, and told of. */
  get firstList(): Promise<void> {
    return this.#firstList.promise;
  }

  get(key: string): Item | undefined {
    return this.#items.get(key);
  }

  all(): readonly Item[] {
    return [...this.#items.values()];
  }

  async #run(): Promise<void> {
    let resourceVersion: string | undefined;
    while (!this.#stopped.signal.aborted) {
      try {
        resourceVersion ??= await this.#list();
        const reached = await this.#watch(resourceVersion);
        // A server that ends every watch at once is not asked as fast as it answers.
        if (reached === resourceVersion) await this.#pause();
        else this.#failures = 0;
        resourceVersion = reached;
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        const isOutdated = resourceVersion !== undefined && codeOf(error) === GONE;
        // From here on nobody knows what was missed.
        resourceVersion = undefined;
        // At once, but for a server that calls every list outdated.
        if (isOutdated && this.#failures === 0) {
          this.#failures = 1;
          continue;
        }
        if (!isOutdated) this.#options.onFailure(error);
        await this.#pause();
      }
    }
  }

  /** Resolves to the version the list is of. */
  async #list(): Promise<string> {
    const found = new Map<string, Item>();
    const { pageSize: limit, pageMs } = this.#timings;
    let next: string | undefined;
    let version = '';
    this.#isComplete = false;
    do {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(pageMs)]);
      const page = await this.#options.transport.list({ limit, continue: next }, signal);
      for (const item of page.items) {
        const key = apiKeyOf(item);
        const before = this.#items.get(key);
        // What did not change is not held twice until the list was read to its end.
        found.set(key, before && isSameVersion(before, item) ? before : item);
      }
      next = page.continue || undefined;
      version = page.resourceVersion;
    } while (next !== undefined);
    this.#isComplete = true;
    for (const key of this.#items.keys()) if (!found.has(key)) this.#remove(key);
    for (const item of found.values()) this.#put(item);
    this.#firstList.resolve();
    return version;
  }

  /** Resolves, when the server ended the watch, to where the next one begins. */
  async #watch(from: string): Promise<string> {
    const { watchSeconds: timeoutSeconds, silenceMs } = this.#timings;
    const silence = new AbortController();
    const signal = AbortSignal.any([this.#stopped.signal, silence.signal]);
    let resourceVersion = from;
    let timer = setTimeout(() => silence.abort(new Error('the watch fell silent')), silenceMs);
    try {
      for await (const event of this.#options.transport.watch({ resourceVersion: from, timeoutSeconds }, signal)) {
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(new Error('the watch fell silent')), silenceMs);
        resourceVersion = this.#take(event) ?? resourceVersion;
      }
      silence.signal.throwIfAborted();
      return resourceVersion;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns the version of the object the event is about. */
  #take({ type, object }: WatchEvent): string | undefined {
    if (type === 'ERROR') {
      const { code = 500, message = 'no reason given' } = object as { code?: number; message?: string };
      throw new ApiStatusError('watch', code, message);
    }
    const item = object as Item;
    if (type === 'ADDED' || type === 'MODIFIED') this.#put(item);
    else if (type === 'DELETED') this.#remove(apiKeyOf(item));
    return item.metadata.resourceVersion;
  }

  /** Repeats are not told. */
  #put(item: Item): void {
    const key = apiKeyOf(item);
    const before = this.#items.get(key);
    if (before && isSameVersion(before, item)) return;
    this.#items.set(key, item);
    this.#options.onChange(item);
  }

  #remove(key: string): void {
    const before = this.#items.get(key);
    if (before === undefined) return;
    this.#items.delete(key);
    this.#options.onGone(before);
  }

  async #pause(): Promise<void> {
    const { firstRetryMs, longestRetryMs } = this.#timings;
    const delay = Math.min(firstRetryMs * 2 ** Math.min(this.#failures, 30), longestRetryMs);
    this.#failures += 1;
    // Clients of one server that was away must not come back all at once.
    await sleep(delay * (0.5 + Math.random() / 2), undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}

function isSameVersion(one: ApiObject, other: ApiObject): boolean {
  return one.metadata.resourceVersion === other.metadata.resourceVersion;
}

function codeOf(error: unknown): number | undefined {
  return error instanceof ApiStatusError ? error.code : undefined;
}
