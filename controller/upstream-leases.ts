import type { SourceDefinition } from '../sources/contract.ts';
import type { Upstream, UpstreamState } from './upstream.ts';

/** A Lease (coordination.k8s.io/v1) as far as it tells whether its holder is alive. */
export type SeenLease = HeldLease | UnheldLease;

interface HeldLease {
  readonly name: string;
  readonly holder: string;
  readonly durationMs: number;
  /** What each renewal changes. */
  readonly renewal: string;
}

/** Nobody has it, or its holder gave it back: its length is not that of a holder's any more. */
interface UnheldLease {
  readonly name: string;
  readonly holder: undefined;
}

interface Sight {
  readonly name: string;
  /** What its holder renews; undefined: nobody has it. */
  readonly renewal: string | undefined;
  /** How long it stays like this before nobody is at work; as its last holder had it. */
  readonly lengthMs: number;
  readonly state: UpstreamState;
  /** When it was first seen like this, in time that was looked at. */
  readonly since: number;
}

/**
 * What client-go makes of a Lease by default. A holder that ends gives its Lease back, with a length of a second, and the
 * next one is there when its pod is.
 */
const SHORTEST_ABSENCE_MS = 15_000;
/** What counts at most of the time between two looks: when none was answered for longer, nobody could renew, either. */
const LONGEST_GAP_MS = 5000;

/**
 * Upstream's Leases over time. Clocks of other machines are not asked: a holder is alive when its Lease was seen to
 * change within the Lease's own length on this one, and gone when a look after that length finds it unchanged. One that
 * was given back or deleted has as long to be taken again. Looks that fail say nothing, and their time does not count, so
 * that a connection that is away does not make us take over.
 */
export class UpstreamLeases implements Upstream {
  readonly #definitions: readonly SourceDefinition[];
  readonly #listeners: (() => void)[] = [];
  #sights: ReadonlyMap<string, Sight> | undefined;
  #lastLook = 0;
  /** The time that was looked at, in milliseconds. */
  #watched = 0;

  constructor(definitions: readonly SourceDefinition[]) {
    this.#definitions = definitions;
  }

  /** All Leases as they are at `now`, in milliseconds that only go forward. */
  look(leases: readonly SeenLease[], now: number): void {
    const before = this.#definitions.map((definition) => this.stateOf(definition));
    this.#watched += Math.min(now - this.#lastLook, LONGEST_GAP_MS);
    this.#lastLook = now;
    this.#sights = sightsOf(leases, this.#sights ?? new Map(), this.#watched);
    const isSame = this.#definitions.every((definition, index) => this.stateOf(definition) === before[index]);
    if (!isSame) for (const listen of this.#listeners) listen();
  }

  /** As the most alive of its Leases; before the first look nobody knows. */
  stateOf({ upstream }: SourceDefinition): UpstreamState {
    if (!upstream) return 'gone';
    if (!this.#sights) return 'unclear';
    const states = [...this.#sights.values()].flatMap(({ name, state }) => (upstream.leases.test(name) ? [state] : []));
    return states.find((state) => state === 'running') ?? states.find((state) => state === 'unclear') ?? 'gone';
  }

  onTurn(listen: () => void): void {
    this.#listeners.push(listen);
  }
}

/** Of those that are there, and of those that went a while ago. */
function sightsOf(
  leases: readonly SeenLease[],
  known: ReadonlyMap<string, Sight>,
  now: number,
): ReadonlyMap<string, Sight> {
  const sights = new Map(leases.map((lease) => [lease.name, sightOf(lease, known.get(lease.name), now)]));
  for (const [name, before] of known) {
    if (sights.has(name)) continue;
    const sight = sightOf({ name, holder: undefined }, before, now);
    if (sight.state !== 'gone') sights.set(name, sight);
  }
  return sights;
}

function sightOf(lease: SeenLease, before: Sight | undefined, now: number): Sight {
  const { name } = lease;
  const isHeld = lease.holder !== undefined;
  const renewal = isHeld ? lease.renewal : undefined;
  const lengthMs = isHeld ? lease.durationMs : Math.max(before?.lengthMs ?? 0, SHORTEST_ABSENCE_MS);
  if (!before) return { name, renewal, lengthMs, state: 'unclear', since: now };
  if (before.renewal !== renewal) {
    return { name, renewal, lengthMs, state: isHeld ? 'running' : before.state, since: now };
  }
  const isOld = now - before.since >= lengthMs;
  return { ...before, lengthMs, state: isOld ? 'gone' : before.state };
}
