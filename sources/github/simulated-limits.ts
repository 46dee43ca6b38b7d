/** In one hour; GitHub's documentation, "Rate limits for the REST API". */
export interface RateLimits {
  /** Calls that count, of one token. */
  readonly calls: number;
  /** Webhooks made: a secondary limit. */
  readonly creations: number;
  /** How long an hour lasts, in milliseconds. */
  readonly hourMs: number;
}

export const USUAL_LIMITS: RateLimits = { calls: 5000, creations: 500, hourMs: 3_600_000 };

export interface LimitRefusal {
  readonly status: 403 | 429;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
}

const DOCUMENTATION = 'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api';
export const SECONDARY_DOCUMENTATION = `${DOCUMENTATION}#about-secondary-rate-limits`;

/** What may still be asked for in the present hour. Times are milliseconds since 1970. */
export class HourlyLimits {
  readonly #limits: RateLimits;
  #calls = 0;
  #creations = 0;
  #ends = 0;

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Of calls, in this hour. */
  get used(): number {
    return this.#calls;
  }

  /** As if so many calls had been made in this hour. */
  use(calls: number, now: number): void {
    this.#turn(now);
    this.#calls = calls;
  }

  /** Counts a call. */
  takeCall(now: number): LimitRefusal | undefined {
    this.#turn(now);
    this.#calls += 1;
    if (this.#calls <= this.#limits.calls) return undefined;
    return { status: 403, message: 'API rate limit exceeded for user ID 1.', headers: {} };
  }

  /** A call that turned out not to count. */
  giveBackCall(): void {
    this.#calls -= 1;
  }

  /** Counts something made; beyond the limit nothing is. */
  takeCreation(now: number): LimitRefusal | undefined {
    this.#turn(now);
    if (this.#creations < this.#limits.creations) {
      this.#creations += 1;
      return undefined;
    }
    const message =
      'You have exceeded a secondary rate limit and have been temporarily blocked from content creation. Please retry your request again later.';
    const headers = { 'retry-after': String(Math.max(1, Math.ceil((this.#ends - now) / 1000))) };
    return { status: 429, message, headers };
  }

  headers(): Readonly<Record<string, string>> {
    const { calls } = this.#limits;
    return {
      'x-ratelimit-limit': String(calls),
      'x-ratelimit-remaining': String(Math.max(0, calls - this.#calls)),
      'x-ratelimit-reset': String(Math.ceil(this.#ends / 1000)),
      'x-ratelimit-used': String(Math.min(calls, this.#calls)),
      'x-ratelimit-resource': 'core',
    };
  }

  #turn(now: number): void {
    if (now < this.#ends) return;
    this.#ends = now + this.#limits.hourMs;
    this.#calls = 0;
    this.#creations = 0;
  }
}
