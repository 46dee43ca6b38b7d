import type { Condition } from '../controller/objects.ts';
import type { Problem } from '../core/problem.ts';
import type { ReceivedEvent } from '../dump/event.ts';
import type { SeenEventType } from './seen-event-types.ts';

/** One row of the table of sources, as `kubectl get` would print it. */
export interface SourceRow {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly ready: string;
  readonly reason: string;
  readonly url: string;
  readonly sink: string;
  /** RFC 3339. */
  readonly created: string;
}

/** What local mode has to say, one thing at a time. */
export type DevLine =
  | { readonly type: 'started'; readonly what: string; readonly url: string }
  | { readonly type: 'note'; readonly message: string }
  /** What `--once` or `--cleanup` waited for in vain. */
  | { readonly type: 'missing'; readonly message: string }
  | ({ readonly type: 'problem' } & Problem)
  /** A file that changed, and is good. */
  | { readonly type: 'applied'; readonly file: string }
  | { readonly type: 'condition'; readonly object: string; readonly condition: Omit<Condition, 'lastTransitionTime'> }
  | { readonly type: 'gone'; readonly object: string }
  | {
      readonly type: 'announcement';
      readonly object: string;
      readonly warning: boolean;
      readonly reason: string;
      readonly message: string;
    }
  | { readonly type: 'sources'; readonly sources: readonly SourceRow[] }
  /** What a provider sent, and was answered. */
  | {
      readonly type: 'delivery';
      /** `namespace/name`; absent: nothing is served at that path. */
      readonly source?: string;
      /** This and the id are known of authentic deliveries alone. */
      readonly eventType?: string;
      readonly id?: string;
      readonly status: number;
      readonly outcome: string;
      readonly detail?: string | undefined;
      /** What the sink did; the dead-letter sink has the event. */
      readonly deadLettered?: string;
    }
  /** An event that a subscriber took. */
  | {
      readonly type: 'handed-on';
      /** `Trigger demo/all`, or a Subscription. */
      readonly by: string;
      readonly url: string;
      readonly eventType: string;
      readonly id: string;
    }
  /** An event that nobody wants; `hub`: `Broker demo/default`, or a Channel. */
  | { readonly type: 'unwanted'; readonly hub: string; readonly eventType: string; readonly id: string }
  /** What Brokers and Channels took, said at the end. */
  | { readonly type: 'event-types'; readonly eventTypes: readonly SeenEventType[] }
  /** A line that the command of an object wrote. */
  | { readonly type: 'output'; readonly object: string; readonly text: string }
  | { readonly type: 'event'; readonly event: ReceivedEvent }
  | { readonly type: 'warning'; readonly from: string; readonly message: string };

export type Report = (line: DevLine) => void;
