import type { SourceDefinition } from '../sources/contract.ts';
import type { Upstream, UpstreamState } from './upstream.ts';

/** A Lease (coordination.k8s.io/v1) as far as it tells whether its holder is alive. */
export interface SeenLease {
  readonly name: string;
  /** undefined: nobody has it, or its holder gave it back. */
  readonly holder: string | undefined;
  readonly durationMs: number;
  /** What each renewal changes. */
  readonly renewal: string;
}

interface Sight {
  readonly lease: SeenLease;
  readonly state: UpstreamState;
  /** When this renewal was first seen, on our clock. */
  readonly since: number;
}

/**
 * Upstream's Leases over time. Clocks of other machines are not asked: a holder is alive when its Lease was seen to
 * change within the Lease's own length on this one, and gone when a look after that length finds it unchanged. Looks that
 * fail say nothing, so that a connection that is away does not make us take over.
 */
export class UpstreamLeases implements Upstream {
  readonly #definitions: readonly SourceDefinition[];
  readonly #listeners: (() => void)[] = [];
  #sights: ReadonlyMap<string, Sight> | undefined;

  constructor(definitions: readonly SourceDefinition[]) {
    this.#definitions = definitions;
  }

  /** All Leases as they are at `now`, in milliseconds that only go forward. */
  look(leases: readonly SeenLease[], now: number): void {
    const before = this.#definitions.map((definition) => this.stateOf(definition));
    const known = this.#sights;
    this.#sights = new Map(leases.map((lease) => [lease.name, sightOf(lease, known?.get(lease.name), now)]));
    const isSame = this.#definitions.every((definition, index) => this.stateOf(definition) === before[index]);
    if (!isSame) for (const listen of this.#listeners) listen();
  }

  /** As the most alive of its Leases; before the first look nobody knows. */
  stateOf({ upstream }: SourceDefinition): UpstreamState {
    if (!upstream) return 'gone';
    if (!this.#sights) return 'unclear';
    const states = [...this.#sights.values()].flatMap(({ lease, state }) =>
      upstream.leases.test(lease.name) ? [state] : [],
    );
    return states.find((state) => state === 'running') ?? states.find((state) => state === 'unclear') ?? 'gone';
  }

  onTurn(listen: () => void): void {
    this.#listeners.push(listen);
  }
}

function sightOf(lease: SeenLease, before: Sight | undefined, now: number): Sight {
  if (lease.holder === undefined) return { lease, state: 'gone', since: now };
  if (!before) return { lease, state: 'unclear', since: now };
  if (before.lease.renewal !== lease.renewal) return { lease, state: 'running', since: now };
  const isOld = now - before.since >= lease.durationMs;
  return { lease, state: isOld ? 'gone' : before.state, since: before.since };
}
