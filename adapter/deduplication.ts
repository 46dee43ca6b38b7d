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

/**
 * Knows which deliveries of each source were kept, by id and body; in memory, bounded per source and in all. A failed
 * delivery leaves no trace.
 */
export class Deduplication {
  readonly #sources = new Map<string, Map<string, Remembered[]>>();
  readonly #limits: { readonly perSource: number; readonly inAll: number };
  #total = 0;

  constructor(limits: { perSource: number; inAll: number }) {
    this.#limits = limits;
  }

  /**
   * Runs `deliver` unless this delivery was kept before. A second arrival of one under way waits and shares its end.
   * `conflict`: the id is known with another body; that is never taken for a duplicate.
   */
  async once(
    arrival: Arrival,
    deliver: () => Promise<ReceiveOutcome>,
  ): Promise<{ outcome: ReceiveOutcome; conflict: boolean }> {
    const ids = this.#idsOf(arrival.uid);
    const id = arrival.id.length > LONGEST_ID ? createHash('sha256').update(arrival.id).digest('hex') : arrival.id;
    const known = ids.get(id) ?? [];
    const same = known.find(({ digest }) => isDigestOf(digest, arrival.digest, arrival.body));
    if (same) {
      const first = await same.pending;
      const outcome = first === undefined || first.kind === 'kept' ? ({ kind: 'duplicate' } as const) : first;
      return { outcome, conflict: false };
    }
    const entry: Remembered = { digest: arrival.digest, pending: deliver() };
    ids.set(id, [...known, entry]);
    this.#total += 1;
    let kept = false;
    try {
      const outcome = await entry.pending;
      kept = outcome?.kind === 'kept';
      return { outcome: outcome as ReceiveOutcome, conflict: known.length > 0 };
    } finally {
      entry.pending = undefined;
      if (kept) this.#evict(ids);
      else this.#remove(ids, id, entry);
    }
  }

  forget(uid: string): void {
    const ids = this.#sources.get(uid);
    if (ids === undefined) return;
    // Emptied too: deliveries under way still hold it.
    this.#dropOldest(ids, ids.size);
    this.#sources.delete(uid);
  }

  get size(): number {
    return this.#total;
  }

  #idsOf(uid: string): Map<string, Remembered[]> {
    let ids = this.#sources.get(uid);
    if (ids === undefined) {
      ids = new Map();
      this.#sources.set(uid, ids);
    }
    return ids;
  }

  #remove(ids: Map<string, Remembered[]>, id: string, entry: Remembered): void {
    const entries = ids.get(id);
    if (!entries?.includes(entry)) return;
    const rest = entries.filter((other) => other !== entry);
    if (rest.length > 0) ids.set(id, rest);
    else ids.delete(id);
    this.#total -= 1;
  }

  /** A busy source forgets its own oldest first; over the common limit the source with most forgets half. */
  #evict(ids: Map<string, Remembered[]>): void {
    if (ids.size > this.#limits.perSource) this.#dropOldest(ids, 1);
    if (this.#total <= this.#limits.inAll) return;
    let largest = ids;
    for (const candidate of this.#sources.values()) if (candidate.size > largest.size) largest = candidate;
    this.#dropOldest(largest, Math.ceil(largest.size / 2));
  }

  #dropOldest(ids: Map<string, Remembered[]>, count: number): void {
    for (const [id, entries] of ids) {
      if (count <= 0) return;
      ids.delete(id);
      this.#total -= entries.length;
      count -= 1;
    }
  }
}
