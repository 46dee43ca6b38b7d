import type { SourceDefinition } from '../sources/contract.ts';
import type { SourceRefusedError } from './admission-error.ts';
import type { Announcement, Cluster } from './cluster.ts';
import { keyOf, type ObjectReference, referenceTo, type SourceObject } from './objects.ts';
import type { Retry } from './step.ts';

export interface RefusedWritesOptions {
  /** When a source whose writes were refused is looked at again, in milliseconds. */
  readonly retryMs: number;
  readonly now: () => Date;
  /** Told of each refusal. */
  readonly onRefused: (source: SourceObject, error: SourceRefusedError) => void;
}

/** Events are kept for an hour. */
const SAY_AGAIN_MS = 1_800_000;

/**
 * Sources that may not be written, since an admission webhook refuses: status cannot say so, and nothing of ours can mend
 * it. The provider is not asked for them again until a write passes, or its quota would be spent.
 */
export class RefusedWrites {
  readonly #options: RefusedWritesOptions;
  /** When it was last said of a source, by its key. */
  readonly #said = new Map<string, { readonly uid: string; readonly at: number }>();

  constructor(options: RefusedWritesOptions) {
    this.#options = options;
  }

  /** A write that changes nothing, to a source whose writes were refused. Rejects as long as they are. */
  async probe(source: SourceObject, cluster: Pick<Cluster, 'writeStatus'>): Promise<void> {
    if (this.#saidOf(source) === undefined) return;
    await cluster.writeStatus(source, source.status ?? {});
    this.forget(referenceTo(source));
  }

  async report(
    source: SourceObject,
    definition: SourceDefinition,
    error: SourceRefusedError,
    cluster: Pick<Cluster, 'announce'>,
  ): Promise<Retry> {
    const { retryMs, now, onRefused } = this.#options;
    const at = now().getTime();
    onRefused(source, error);
    if (at - (this.#saidOf(source) ?? Number.NEGATIVE_INFINITY) >= SAY_AGAIN_MS) {
      this.#said.set(keyOf(referenceTo(source)), { uid: source.metadata.uid, at });
      await cluster.announce(source, announcementOf(error, definition, retryMs));
    }
    return { when: 'after', ms: retryMs };
  }

  /** Its writes pass, or it is gone. */
  forget(source: ObjectReference): void {
    this.#said.delete(keyOf(source));
  }

  /** undefined: never, of this very source. */
  #saidOf(source: SourceObject): number | undefined {
    const said = this.#said.get(keyOf(referenceTo(source)));
    return said?.uid === source.metadata.uid ? said.at : undefined;
  }
}

function announcementOf(
  { webhook, message }: SourceRefusedError,
  { upstream }: SourceDefinition,
  retryMs: number,
): Announcement {
  const advice = upstream?.admissionWebhooks.includes(webhook)
    ? `it is left over from the controller that served this source before: kubectl delete validatingwebhookconfigurations,mutatingwebhookconfigurations ${webhook} --ignore-not-found`
    : 'see whether it works, and what it asks for';
  return {
    type: 'Warning',
    reason: 'WriteRefused',
    message: `admission webhook ${webhook} refuses what is to be written to this source; ${advice}. It is tried again every ${retryMs / 1000} s. ${message}`,
  };
}
