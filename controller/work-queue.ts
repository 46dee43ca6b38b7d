import type { Retry } from './step.ts';
import { TokenBucket } from './token-bucket.ts';

export interface WorkQueueOptions {
  /** Works on one key; `isDue`: only its time has come. Rejects when it failed for a reason nobody foresaw. */
  readonly work: (key: string, isDue: boolean) => Promise<Retry | undefined>;
  readonly onError: (key: string, error: unknown) => void;
  readonly workers: number;
  /** The wait after the first failure, in milliseconds; doubled by each one after it. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** When a key is worked on again that only a change can help, in milliseconds. */
  readonly unchangedMs: number;
  readonly observer?: QueueObserver | undefined;
}

/** Told of what becomes of keys, as it happens. */
export interface QueueObserver {
  /** It is to be worked on; told again when it waits already. */
  added(key: string): void;
  /** It comes again by itself, later. */
  scheduled(key: string): void;
  started(key: string): void;
  finished(key: string): void;
}

/** Retries of all keys together, as client-go has it. */
const RETRIES = { burst: 100, perSecond: 10 };

/** Keys to work on: repeats are merged, one key is worked on once at a time, what failed comes again later and later. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** Something changed for them: they come first. */
  readonly #changed = new Set<string>();
  /** Their time has come. */
  readonly #due = new Set<string>();
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #later = new Map<string, NodeJS.Timeout>();
  readonly #failures = new Map<string, number>();
  readonly #bucket = new TokenBucket(RETRIES, performance.now());
  #stopped = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Works on `key` soon; a key that is worked on just now comes again afterwards. */
  add(key: string): void {
    clearTimeout(this.#later.get(key));
    this.#later.delete(key);
    this.#due.delete(key);
    this.#changed.add(key);
    this.#options.observer?.added(key);
    this.#next();
  }

  /** Takes no new work and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#later.values()) clearTimeout(timer);
    await Promise.all(this.#underWay.values());
  }

  #next(): void {
    if (this.#stopped) return;
    for (const waiting of [this.#changed, this.#due]) {
      for (const key of waiting) {
        if (this.#underWay.size >= this.#options.workers) return;
        if (this.#underWay.has(key)) continue;
        waiting.delete(key);
        this.#options.observer?.started(key);
        this.#underWay.set(key, this.#workOn(key, waiting === this.#due));
      }
    }
  }

  async #workOn(key: string, isDue: boolean): Promise<void> {
    // Several changes of one moment become one piece of work.
    await Promise.resolve();
    let retry: Retry | undefined;
    try {
      retry = await this.#options.work(key, isDue);
    } catch (error) {
      this.#options.onError(key, error);
      retry = { when: 'backoff' };
    }
    this.#underWay.delete(key);
    this.#options.observer?.finished(key);
    this.#schedule(key, retry);
    this.#next();
  }

  #schedule(key: string, retry: Retry | undefined): void {
    const delay = this.#delayOf(key, retry);
    if (delay === undefined || this.#stopped || this.#changed.has(key)) return;
    const fall = () => {
      this.#later.delete(key);
      this.#due.add(key);
      this.#options.observer?.added(key);
      this.#next();
    };
    this.#options.observer?.scheduled(key);
    this.#later.set(key, setTimeout(fall, delay).unref());
  }

  #delayOf(key: string, retry: Retry | undefined): number | undefined {
    const { firstDelayMs, longestDelayMs, unchangedMs } = this.#options;
    if (retry?.when !== 'backoff') {
      this.#failures.delete(key);
      return retry && (retry.when === 'after' ? Math.min(retry.ms, LONGEST_TIMER_MS) : unchangedMs);
    }
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const own = Math.min(firstDelayMs * 2 ** Math.min(failures, 30), longestDelayMs, retry.longestMs ?? longestDelayMs);
    // Nearly every route is waited for a moment: that is no failure.
    return retry.wokenBy === 'adapters' ? own : Math.max(own, this.#bucket.reserve(performance.now()));
  }
}

/** Node fires longer timers at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
