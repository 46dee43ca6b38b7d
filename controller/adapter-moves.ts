import type { AdapterMode } from './adapter-mode.ts';

/**
 * Sources whose webhook points at another adapter now: since when, as this process has seen it. What the provider sent
 * before is still under way, so the old adapter serves on for a while.
 */
export class AdapterMoves {
  readonly #overlapMs: number;
  readonly #seen = new Map<string, { readonly to: AdapterMode; readonly at: number }>();

  constructor(overlapMs: number) {
    this.#overlapMs = overlapMs;
  }

  /** How long the old adapter is to serve on, in milliseconds. */
  leftFor(uid: string, to: AdapterMode): number {
    const now = performance.now();
    const seen = this.#seen.get(uid);
    const since = seen?.to === to ? seen.at : now;
    this.#seen.set(uid, { to, at: since });
    return this.#overlapMs - (now - since);
  }

  forget(uid: string): void {
    this.#seen.delete(uid);
  }
}
