import type { SourcePlan } from '../sources/contract.ts';
import { recordFor } from './hook-records.ts';
import type { SourceObject } from './objects.ts';
import { type Blocked, blocked } from './step.ts';
import { TokenBucket } from './token-bucket.ts';

/** So few at once that nobody waits in a small install, and no provider minds. */
const AT_ONCE = 10;
/** A turn that was not used may be for so long, or somebody would begin at the end of the line after a short failure. */
const USABLE_MS = 60_000;

/**
 * The line of webhooks that are to point at another URL though nobody edited their sources, as when the public address
 * changed. All of them written at once would run into the provider's limits, and keep it from other work.
 */
export class HookMoves {
  readonly #bucket: TokenBucket;
  /** When each source's turn is; the earliest first. */
  readonly #turns = new Map<string, number>();

  constructor(perMinute: number, now: Date) {
    this.#bucket = new TokenBucket({ burst: AT_ONCE, perSecond: perMinute / 60 }, now.getTime());
  }

  /** Stays the same until it was a while ago, so that a source that comes again waits no longer. */
  turnOf(uid: string, now: Date): Date {
    const time = now.getTime();
    for (const [other, at] of this.#turns) {
      if (time - at <= USABLE_MS) break;
      this.#turns.delete(other);
    }
    const at = this.#turns.get(uid) ?? time + this.#bucket.reserve(time);
    this.#turns.set(uid, at);
    return new Date(at);
  }
}

/** Why the webhook is left where it is for now; undefined: it may be written. */
export function waitForTurn(
  { source, plan, url }: { readonly source: SourceObject; readonly plan: SourcePlan; readonly url: string },
  { hookMoves, now }: { readonly hookMoves: HookMoves; readonly now: () => Date },
): { readonly blocked: Blocked } | undefined {
  const { metadata, status } = source;
  const record = recordFor(plan, source);
  const isEdited = status?.observedGeneration !== metadata.generation;
  if (isEdited || !record?.id || status.webhookURL === undefined || status.webhookURL === url) return undefined;
  const present = now();
  const turn = hookMoves.turnOf(metadata.uid, present);
  const ms = turn.getTime() - present.getTime();
  if (ms <= 0) return undefined;
  const message = `webhook ${record.id} still points at ${status.webhookURL}: the public address changed, and webhooks are moved one after the other. It gets ${url} at ${turn.toISOString()}`;
  return blocked('WebhookMoving', message, { when: 'after', ms }, 'Unknown');
}
