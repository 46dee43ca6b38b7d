import { hash } from 'node:crypto';
import type { HookAccess } from '../contract.ts';

/**
 * Until when each access token is not to be used: its quota is used up, or GitHub asked to wait. What one source is told
 * holds for all with that token; whoever goes on calling may be banned.
 */
export class Pauses {
  /** By API and token; when each ends, by `now`. */
  readonly #ends = new Map<string, number>();
  readonly #now: () => number;

  /** `now`: in milliseconds, of a clock that is never set. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Milliseconds; 0: it may be used. */
  left(access: Pick<HookAccess, 'api' | 'token'>): number {
    return Math.max(0, (this.#ends.get(keyOf(access)) ?? 0) - this.#now());
  }

  /** A longer pause that was asked for before stays. */
  begin(access: Pick<HookAccess, 'api' | 'token'>, ms: number): void {
    const now = this.#now();
    for (const [key, end] of this.#ends) if (end <= now) this.#ends.delete(key);
    this.#ends.set(keyOf(access), now + Math.max(ms, this.left(access)));
  }
}

function keyOf({ api, token }: Pick<HookAccess, 'api' | 'token'>): string {
  return `${api} ${hash('sha256', token, 'base64')}`;
}
