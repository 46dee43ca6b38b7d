import { nameOf } from '../controller/objects.ts';
import type { Consumer, Hub } from './hubs.ts';

/** Events of one type and source that a hub took, as Knative makes an EventType of them. */
export interface SeenEventType {
  /** `Broker demo/default` */
  readonly hub: string;
  readonly eventType: string;
  readonly source: string;
  readonly events: number;
  /** Triggers and Subscriptions that wanted any of them. */
  readonly wantedBy: readonly string[];
}

/** Senders choose types and sources: there may be no end of them. */
const MOST = 1000;

/** What flowed through the hubs. */
export class SeenEventTypes {
  readonly #seen = new Map<string, SeenEventType>();

  note(hub: Hub, attributes: Readonly<Record<string, string>>, wanting: readonly Consumer[]): void {
    const { type: eventType = '', source = '' } = attributes;
    const key = JSON.stringify([nameOf(hub), eventType, source]);
    const before = this.#seen.get(key);
    if (!before && this.#seen.size >= MOST) return;
    const wantedBy = new Set([...(before?.wantedBy ?? []), ...wanting.map(({ name }) => name)]);
    const events = (before?.events ?? 0) + 1;
    this.#seen.set(key, { hub: nameOf(hub), eventType, source, events, wantedBy: [...wantedBy] });
  }

  /** In the order they came first. */
  all(): readonly SeenEventType[] {
    return [...this.#seen.values()];
  }
}
