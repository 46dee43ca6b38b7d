import { createHash } from 'node:crypto';
import { type BodyDigest, isDigestOf } from '../core/body-digest.ts';
import type { ReceiveOutcome } from './outcome.ts';

export interface Arrival {
  /** The uid of the source: ids of different sources have nothing to do with each other. */
  readonly uid: string;
  readonly id: string;
  readonly digest: BodyDigest;
  readonly body: Buffer;
}

interface Remembered {
  readonly digest: BodyDigest;
  /** How the delivery under way ends; undefined once its event is kept. */
  pending: Promise<ReceiveOutcome> | undefined;
}

const LONGEST_ID = 128;
/** So many bodies are known under one id; only a provider gone wrong sends more. */
const BODIES_PER_ID = 8;

/**
 * The ids of one source, in two generations: when the young one is full the old one is forgotten as a whole. Forgetting
 * one id at a time makes every look at the oldest step over those already forgotten.
 */
class Memory {
  #young = new Map<string, readonly Remembered[]>();
  #old = new Map<string, readonly Remembered[]>();

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get youngSize(): number {
    return this.#young.size;
  }

  get(id: string): readonly Remembered[] {
    return this.#young.get(id) ?? this.#old.get(id) ?? [];
  }

  set(id: string, entries: readonly Remembered[]): void {
    this.#old.delete(id);
    if (entries.length > 0) this.#young.set(id, entries.slice(-BODIES_PER_ID));
    else this.#young.delete(id);
  }

  forgetOld(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }

  forgetOldestHalf(): void {
    const all = [...this.#old, ...this.#young];
    this.#old = new Map();
    this.#young = new Map(all.slice(Math.ceil(all.length / 2)));
  }

  clear(): void {
    this.#old.clear();
    this.#young.clear();
  }
}

/**
 * Knows which deliveries of each source were kept, by id and body; in memory, bounded per source and in all. A failed
 * delivery leaves no trace.
 */
export class Deduplication {
  readonly #sources = new Map<string, Memory>();
  readonly #limits: { readonly perSource: number; readonly inAll: number };
  #total = 0;

  /** At least the newest half of `perSource` ids are known, as long as `inAll` allows it. */
  constructor(limits: { perSource: number; inAll: number }) {
    this.#limits = limits;
  }

  /** How many ids are known. */
  get size(): number {
    return this.#total;
  }

  /**
   * Runs `deliver` unless this delivery was kept before. A second arrival of one under way waits and shares its end.
   * `conflict`: the id is known with another body; that is never taken for a duplicate.
   */
  async once(
    arrival: Arrival,
    deliver: () => Promise<ReceiveOutcome>,
  ): Promise<{ outcome: ReceiveOutcome; conflict: boolean }> {
    const memory = this.#memoryOf(arrival.uid);
    const id = arrival.id.length > LONGEST_ID ? createHash('sha256').update(arrival.id).digest('hex') : arrival.id;
    const known = memory.get(id);
    const same = known.find(({ digest }) => isDigestOf(digest, arrival.digest, arrival.body));
    if (same) {
      return { outcome: sharedEnd(await same.pending), conflict: false };
    }
    const pending = deliver();
    const entry: Remembered = { digest: arrival.digest, pending };
    this.#change(memory, () => memory.set(id, [...known, entry]));
    let kept = false;
    try {
      const outcome = await pending;
      kept = outcome.kind === 'kept';
      return { outcome, conflict: known.length > 0 };
    } finally {
      entry.pending = undefined;
      if (kept) this.#bound(memory);
      else
        this.#change(memory, () =>
          memory.set(
            id,
            memory.get(id).filter((other) => other !== entry),
          ),
        );
    }
  }

  forget(uid: string): void {
    const memory = this.#sources.get(uid);
    if (memory === undefined) return;
    this.#sources.delete(uid);
    // Emptied too: deliveries under way still hold it.
    this.#change(memory, () => memory.clear());
  }

  #memoryOf(uid: string): Memory {
    let memory = this.#sources.get(uid);
    if (memory === undefined) {
      memory = new Memory();
      this.#sources.set(uid, memory);
    }
    return memory;
  }

  #change(memory: Memory, change: () => void): void {
    const before = memory.size;
    change();
    this.#total += memory.size - before;
  }

  /** A busy source forgets its own oldest ids; over the common limit the source with most does. */
  #bound(memory: Memory): void {
    if (memory.youngSize * 2 >= this.#limits.perSource) this.#change(memory, () => memory.forgetOld());
    if (this.#total <= this.#limits.inAll) return;
    let largest = memory;
    for (const other of this.#sources.values()) if (other.size > largest.size) largest = other;
    this.#change(largest, () => largest.forgetOldestHalf());
  }
}

/** What a second arrival is told of the first's end. The attempts were the first's: they are counted once. */
function sharedEnd(first: ReceiveOutcome | undefined): ReceiveOutcome {
  if (first === undefined || first.kind === 'kept') return { kind: 'duplicate' };
  return 'attempts' in first ? { ...first, attempts: 0 } : first;
}
