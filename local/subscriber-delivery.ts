import { resolveDestination, type SinkDeps } from '../controller/sink.ts';
import { isBlocked } from '../controller/step.ts';
import { type DeliveryPolicy, deadLetterExtensions, deliveryPolicyOf } from '../core/delivery-policy.ts';
import type { TriggerFilters } from '../core/trigger-filter.ts';
import type { SinkDestination } from '../sources/fields.ts';
import { type BrokeredEvent, brokeredEvents } from './brokered-event.ts';
import type { Report } from './dev-line.ts';
import { BROKER, TRIGGER } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { type PostResult, postEvent } from './post-event.ts';

export interface TriggerDeliveryDeps {
  readonly cluster: MemoryCluster;
  readonly sinks: Omit<SinkDeps, 'objects'>;
  /** What goes to this server is not said here: it says itself what it gets. */
  readonly dumperUrl?: string | undefined;
  readonly report: Report;
  readonly stop: AbortSignal;
}

interface Delivery {
  readonly deadLetterSink?: SinkDestination;
  readonly retry?: number;
}

export interface TriggerSpec extends TriggerFilters {
  readonly broker: string;
  readonly subscriber: SinkDestination;
  readonly delivery?: Delivery;
}

export interface Trigger {
  readonly namespace: string;
  readonly name: string;
  readonly spec: TriggerSpec;
}

/** What Knative's installation gives a Broker that says nothing. */
const DEFAULT_DELIVERY = { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' } as const;
const LOST = 'given up: the event is lost';

export function triggersOf(
  { namespace, name }: { namespace: string; name: string },
  cluster: MemoryCluster,
): Trigger[] {
  return cluster
    .all(TRIGGER)
    .filter(({ metadata }) => metadata.namespace === namespace)
    .map(({ metadata, spec }) => ({ namespace, name: metadata.name, spec: spec as TriggerSpec }))
    .filter(({ spec }) => spec.broker === name);
}

/**
 * Hands an event to the subscriber of a Trigger, else to its dead-letter sink, and says what became of it; `onFailure` is
 * called at the first attempt that failed. Resolves to the events the subscriber replied with.
 */
export async function deliverTo(
  trigger: Trigger,
  event: BrokeredEvent,
  deps: TriggerDeliveryDeps,
  onFailure: () => void,
): Promise<BrokeredEvent[]> {
  const { namespace, name, spec } = trigger;
  const { sinks, cluster, report, dumperUrl } = deps;
  const sinkDeps = { ...sinks, objects: cluster };
  const { policy, deadLetterSink } = deliveryOf(trigger, cluster);
  const say = speakerFor(trigger, event, deps);
  const post = (what: string, url: string, outgoing: BrokeredEvent) =>
    postEvent(url, outgoing, policy, {
      stop: deps.stop,
      onFailure: ({ outcome }, isRetried) => {
        onFailure();
        if (isRetried) say(`${what}${url} ${outcome}; ${retriesOf(policy)}`);
      },
    });
  const subscriber = await resolveDestination(spec.subscriber, namespace, sinkDeps);
  if (isBlocked(subscriber)) return say(`${subscriber.blocked.message}; ${LOST}`);
  const { url } = subscriber.done;
  const result = await post('', url, event);
  if (result.accepted) {
    const { type: eventType = '', id = '' } = event.attributes;
    if (!isSameServer(url, dumperUrl))
      report({ type: 'handed-on', trigger: `${namespace}/${name}`, url, eventType, id });
    return repliesIn(result);
  }
  const fault = `${url} ${result.outcome}`;
  const last = deadLetterSink && (await resolveDestination(deadLetterSink, namespace, sinkDeps));
  if (!last) return say(`${fault}; ${LOST}`);
  if (isBlocked(last)) return say(`${fault}; dead-letter sink: ${last.blocked.message}; ${LOST}`);
  const second = await post('dead-letter sink: ', last.done.url, deadLetter(event, url, result));
  if (second.accepted) return say(`${fault}; it went to the dead-letter sink`);
  return say(`${fault}; dead-letter sink: ${second.outcome}; ${LOST}`);
}

/** The Trigger's `delivery`, else the Broker's. */
function deliveryOf({ namespace, spec }: Trigger, cluster: MemoryCluster) {
  const ofBroker = (cluster.find({ ...BROKER, namespace, name: spec.broker })?.spec ?? {}) as { delivery?: Delivery };
  const delivery = spec.delivery ?? ofBroker.delivery ?? {};
  const deadLetterSink = delivery.deadLetterSink ?? ofBroker.delivery?.deadLetterSink;
  return { policy: deliveryPolicyOf({ ...DEFAULT_DELIVERY, ...delivery }), deadLetterSink };
}

/** Says a problem, of which no reply comes. At the end the number of the lost is said instead. */
function speakerFor(
  { namespace, name }: Trigger,
  { attributes }: BrokeredEvent,
  { report, stop }: TriggerDeliveryDeps,
) {
  return (problem: string): BrokeredEvent[] => {
    const message = `Trigger ${namespace}/${name}: ${problem} (event ${attributes['id']})`;
    if (!stop.aborted) report({ type: 'warning', from: 'broker', message });
    return [];
  };
}

function retriesOf({ retries }: DeliveryPolicy): string {
  return retries === 1 ? 'tried again once' : `tried again up to ${retries} times`;
}

function isSameServer(url: string, other: string | undefined): boolean {
  return other !== undefined && URL.parse(url)?.origin === URL.parse(other)?.origin;
}

/** Knative: a subscriber that answers with an event sends it to the broker. */
function repliesIn({ headers, body }: PostResult): BrokeredEvent[] {
  try {
    return headers['ce-specversion'] === undefined && !headers['content-type']?.startsWith('application/cloudevents')
      ? []
      : brokeredEvents(headers, Object.entries(headers).flat(), body);
  } catch {
    return [];
  }
}

/** Knative's dead-letter extensions. */
function deadLetter(event: BrokeredEvent, url: string, { status, outcome, body }: PostResult): BrokeredEvent {
  const data = status === 0 ? Buffer.from(outcome) : body;
  const why = deadLetterExtensions(url, status === 0 ? 500 : status, data);
  return { ...event, headers: [...withoutNames(event.headers, why), ...why] };
}

/** `headers` but those that `others` name, too. */
export function withoutNames(headers: readonly string[], others: readonly string[]): string[] {
  const names = new Set(others.filter((_, index) => index % 2 === 0));
  return headers.filter((_, index) => !names.has(headers[index - (index % 2)] ?? ''));
}
