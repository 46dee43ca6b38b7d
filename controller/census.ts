import {
  type Condition,
  keyOf,
  type ObjectReference,
  referenceTo,
  type SourceObject,
  type SourceStatus,
} from './objects.ts';

/** What may be said of the webhook of a source, in one word. */
export const webhookStates = [
  'configured',
  'by-hand',
  'waiting',
  'moving',
  'not-compared',
  'old-remains',
  'failing',
  'unknown',
] as const;
export type WebhookState = (typeof webhookStates)[number];

export interface CountedSources {
  readonly kind: string;
  readonly ready: Condition['status'];
  /** Of `Ready`; empty: there is none to give. All of them are named in this folder, so that there are not many. */
  readonly reason: string;
  readonly webhook: WebhookState;
  readonly count: number;
}

/** The states of all sources, each as its last look found it. */
export class Census {
  readonly #sources = new Map<string, Omit<CountedSources, 'count'>>();

  /** `status`: what is, or would be, said of it; undefined: it may not be written, so that what is said there is of before. */
  note(source: SourceObject, status: SourceStatus | undefined): void {
    const { kind } = source;
    const ready = status?.conditions?.find(({ type }) => type === 'Ready');
    this.#sources.set(keyOf(referenceTo(source)), {
      kind,
      ready: ready?.status ?? 'Unknown',
      reason: status === undefined ? 'WriteRefused' : (ready?.reason ?? ''),
      webhook: webhookStateOf(status ?? {}),
    });
  }

  /** It is gone, or another controller's. */
  forget(source: ObjectReference): void {
    this.#sources.delete(keyOf(source));
  }

  /** How many there are of each state, those that occur. */
  counts(): readonly CountedSources[] {
    const counts = new Map<string, CountedSources>();
    for (const source of this.#sources.values()) {
      const key = Object.values(source).join(' ');
      counts.set(key, { ...source, count: (counts.get(key)?.count ?? 0) + 1 });
    }
    return [...counts.values()];
  }
}

const STATE_OF_REASON: Readonly<Record<string, WebhookState>> = {
  WaitingForDelivery: 'waiting',
  WebhookMoving: 'moving',
  NotCompared: 'not-compared',
  OldWebhookRemains: 'old-remains',
};

function webhookStateOf({ conditions, manualHook }: SourceStatus): WebhookState {
  const { status = 'Unknown', reason = '' } = conditions?.find(({ type }) => type === 'WebhookConfigured') ?? {};
  if (status === 'False') return 'failing';
  const said = STATE_OF_REASON[reason];
  if (said) return said;
  if (status === 'Unknown') return 'unknown';
  return manualHook ? 'by-hand' : 'configured';
}
