import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ApiObject,
  ApiStatusError,
  type ListWatchTransport,
  type Page,
  type WatchEvent,
} from '../../core/list-watch.ts';

export interface Thing extends ApiObject {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly value: number;
}

/** What may go wrong with the next list or watch. */
export type Fault = 'reset' | 'half-open' | 'gone' | 'error' | 'slow' | 'duplicate' | 'end';

/** One kind of an API server with its history, whose connections break as told. */
export class FakeApi implements ListWatchTransport<Thing> {
  readonly faults: Fault[] = [];
  readonly lists: (string | undefined)[] = [];
  watches = 0;
  /** Whether every watch begins before what is remembered. */
  isForgetful = false;
  #version = 1;
  readonly #things = new Map<string, Thing>();
  #history: { version: number; event: WatchEvent }[] = [];
  #compactedAt = 0;
  readonly #pages = new Map<string, readonly Thing[]>();
  #wake: (() => void)[] = [];

  get all(): readonly Thing[] {
    return [...this.#things.values()];
  }

  /** `rest`: what else the object has. */
  put(name: string, value: number, rest: object = {}): void {
    this.#version += 1;
    const type = this.#things.has(name) ? 'MODIFIED' : 'ADDED';
    const thing: Thing = { ...rest, metadata: { name, resourceVersion: String(this.#version) }, value };
    this.#things.set(name, thing);
    this.#record({ type, object: thing });
  }

  delete(name: string): void {
    const thing = this.#things.get(name);
    if (!thing) return;
    this.#version += 1;
    this.#things.delete(name);
    this.#record({ type: 'DELETED', object: { ...thing, metadata: { name, resourceVersion: String(this.#version) } } });
  }

  /** As etcd forgets its history: watches from before get 410. */
  compact(): void {
    this.#compactedAt = this.#version;
    this.#history = [];
    this.#pages.clear();
  }

  async list(
    { limit, continue: token }: { limit: number; continue: string | undefined },
    signal: AbortSignal,
  ): Promise<Page<Thing>> {
    this.lists.push(token);
    const fault = this.faults.shift();
    if (fault === 'slow') await sleep(5);
    if (fault === 'half-open') await silence(signal);
    if (fault === 'reset') throw new Error('ECONNRESET');
    if (fault === 'error') throw new ApiStatusError('list', 500, 'etcd is away');
    const all = token === undefined ? this.all : this.#pages.get(token);
    if (!all || fault === 'gone') throw new ApiStatusError('list', 410, 'the continue token is too old');
    const version = token?.split('@')[1] ?? String(this.#version);
    const rest = all.slice(limit);
    const next = rest.length > 0 ? `${rest.length}@${version}` : undefined;
    if (next !== undefined) this.#pages.set(next, rest);
    return { items: all.slice(0, limit), resourceVersion: version, continue: next };
  }

  async *watch({ resourceVersion }: { resourceVersion: string }, signal: AbortSignal): AsyncIterable<WatchEvent> {
    this.watches += 1;
    let reached = Number(resourceVersion);
    for (;;) {
      if (reached < this.#compactedAt || this.isForgetful) {
        yield {
          type: 'ERROR',
          object: { kind: 'Status', metadata: {}, code: 410, message: 'too old resource version' },
        };
        return;
      }
      const fault = this.faults.shift();
      if (fault === 'end') return;
      if (fault === 'reset') throw new Error('ECONNRESET');
      if (fault === 'error')
        yield { type: 'ERROR', object: { kind: 'Status', metadata: {}, code: 500, message: 'oops' } };
      if (fault === 'gone')
        yield { type: 'ERROR', object: { kind: 'Status', metadata: {}, code: 410, message: 'expired' } };
      if (fault === 'half-open') await silence(signal);
      if (fault === 'slow') await sleep(3);
      for (const { version, event } of this.#history.filter((one) => one.version > reached)) {
        yield event;
        if (fault === 'duplicate') yield event;
        reached = version;
      }
      yield {
        type: 'BOOKMARK',
        object: { metadata: { resourceVersion: String(Math.max(reached, this.#compactedAt)) } },
      };
      if (this.#version <= reached || this.#history.at(-1)?.version === reached) await this.#change(signal);
    }
  }

  #record(event: WatchEvent): void {
    this.#history.push({ version: this.#version, event });
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** Resolves at the next change; rejects when the client gives up. */
  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      signal.throwIfAborted();
    });
  }
}

/** A connection of which nobody tells that it is dead. */
function silence(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
