import type { AuthenticDelivery } from '../core/route.ts';
import { type OutcomeKind, outcomeKinds } from './outcome.ts';

/** What one source has seen since this process serves it; it outlives edits of the route. */
export class RouteState {
  readonly counters: Record<OutcomeKind, number>;
  /** Deliveries whose id was kept before with another body. */
  conflicts = 0;
  lastAuthentic: AuthenticDelivery | undefined;
  /** Sequence number of the newest change. */
  changed = 0;
  readonly #nextSequence: () => number;

  constructor(nextSequence: () => number) {
    this.counters = countersAtZero();
    this.#nextSequence = nextSequence;
  }

  touch(): void {
    this.changed = this.#nextSequence();
  }

  count(kind: OutcomeKind): void {
    this.counters[kind] += 1;
    this.touch();
  }
}

export function countersAtZero(): Record<OutcomeKind, number> {
  return Object.fromEntries(outcomeKinds.map((kind) => [kind, 0])) as Record<OutcomeKind, number>;
}
