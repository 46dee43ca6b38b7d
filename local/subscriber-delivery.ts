import { setTimeout as sleep } from 'node:timers/promises';
import { resolveDestination, type SinkDeps } from '../controller/sink.ts';
import { isBlocked } from '../controller/step.ts';
import { type DeliveryPolicy, deadLetterExtensions, deliveryPolicyOf } from '../core/delivery-policy.ts';
import type { SinkDestination } from '../sources/fields.ts';
import { type BrokeredEvent, brokeredEvents } from './brokered-event.ts';
import type { Report } from './dev-line.ts';
import { type Consumer, type Hub, hubIn } from './hubs.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { type PostResult, postEvent } from './post-event.ts';

export interface SubscriberDeliveryDeps {
  readonly cluster: MemoryCluster;
  readonly sinks: Omit<SinkDeps, 'objects'>;
  /** What goes to this server is not said here: it says itself what it gets. */
  readonly dumperUrl?: string | undefined;
  readonly report: Report;
  readonly stop: AbortSignal;
}

/** Events that are for another hub, or for the same one again. */
export interface Replies {
  readonly events: readonly BrokeredEvent[];
  readonly hub: Hub;
}

const LOST = 'given up: the event is lost';

/** Hands one event to one consumer, and says what became of it. */
export class SubscriberDelivery {
  readonly #consumer: Consumer;
  readonly #event: BrokeredEvent;
  readonly #deps: SubscriberDeliveryDeps;
  readonly #policy: DeliveryPolicy;
  readonly #onFailure: () => void;

  /** `onFailure` is called at the first attempt that failed. */
  constructor(consumer: Consumer, event: BrokeredEvent, deps: SubscriberDeliveryDeps, onFailure: () => void) {
    this.#consumer = consumer;
    this.#event = event;
    this.#deps = deps;
    this.#policy = deliveryPolicyOf(consumer.delivery);
    this.#onFailure = onFailure;
  }

  /** To the subscriber, else to the dead-letter sink. Resolves to what the subscriber replied with, where that is for a hub. */
  async run(): Promise<Replies | undefined> {
    const { name, subscriber } = this.#consumer;
    const { dumperUrl, report } = this.#deps;
    const target = await this.#resolveSoon(subscriber);
    if (isBlocked(target)) return this.#say(`${target.blocked.message}; ${LOST}`);
    const { url } = target.done;
    const result = await this.#post('', url, this.#event);
    if (!result.accepted) return this.#deadLetter('', url, result);
    const { type: eventType = '', id = '' } = this.#event.attributes;
    if (!isSameServer(url, dumperUrl)) report({ type: 'handed-on', by: name, url, eventType, id });
    return this.#handOn(repliesIn(result));
  }

  async #handOn(events: readonly BrokeredEvent[]): Promise<Replies | undefined> {
    const { reply, namespace } = this.#consumer;
    if (reply === undefined || events.length === 0) return undefined;
    const hub = hubIn(reply, namespace);
    if (hub && this.#deps.cluster.find(hub)) return { events, hub };
    const target = await this.#resolve(reply);
    if (isBlocked(target)) return this.#say(`reply: ${target.blocked.message}; ${LOST}`);
    const { url } = target.done;
    for (const event of events) {
      const namespaced = ['kn-namespace', namespace];
      const result = await this.#post('reply: ', url, withHeaders(event, namespaced));
      if (!result.accepted) await this.#deadLetter('reply: ', url, result);
    }
    return undefined;
  }

  /** The event itself, also where it was a reply that failed, and why it is one. */
  async #deadLetter(what: string, url: string, { status, outcome, body }: PostResult): Promise<undefined> {
    const { deadLetterSink } = this.#consumer.delivery;
    const fault = `${what}${url} ${outcome}`;
    if (!deadLetterSink) return this.#say(`${fault}; ${LOST}`);
    const target = await this.#resolve(deadLetterSink);
    if (isBlocked(target)) return this.#say(`${fault}; dead-letter sink: ${target.blocked.message}; ${LOST}`);
    const data = status === 0 ? Buffer.from(outcome) : body;
    const why = deadLetterExtensions(url, status === 0 ? 500 : status, data);
    const result = await this.#post('dead-letter sink: ', target.done.url, withHeaders(this.#event, why, ['prefer']));
    if (result.accepted) return this.#say(`${fault}; it went to the dead-letter sink`);
    return this.#say(`${fault}; dead-letter sink: ${result.outcome}; ${LOST}`);
  }

  /** What is not there may be about to start: it is looked for as often as the event would be tried. */
  async #resolveSoon(destination: SinkDestination) {
    const { retries, backoffMs } = this.#policy;
    const { stop } = this.#deps;
    for (let attempt = 0; ; attempt += 1) {
      const found = await this.#resolve(destination);
      if (!isBlocked(found) || attempt === retries || stop.aborted) return found;
      this.#onFailure();
      if (attempt === 0) this.#say(`${found.blocked.message}; ${retriesOf(this.#policy)}`);
      await sleep(backoffMs(attempt), undefined, { signal: stop }).catch(() => undefined);
    }
  }

  #resolve(destination: SinkDestination) {
    const { sinks, cluster } = this.#deps;
    return resolveDestination(destination, this.#consumer.namespace, { ...sinks, objects: cluster });
  }

  #post(what: string, url: string, event: BrokeredEvent): Promise<PostResult> {
    return postEvent(url, event, this.#policy, {
      stop: this.#deps.stop,
      onFailure: ({ outcome }, isRetried) => {
        this.#onFailure();
        if (isRetried) this.#say(`${what}${url} ${outcome}; ${retriesOf(this.#policy)}`);
      },
    });
  }

  /** At the end the number of the lost is said instead. */
  #say(problem: string): undefined {
    const { report, stop } = this.#deps;
    const message = `${this.#consumer.name}: ${problem} (event ${this.#event.attributes['id']})`;
    if (!stop.aborted) report({ type: 'warning', from: 'broker', message });
  }
}

function retriesOf({ retries }: DeliveryPolicy): string {
  return retries === 1 ? 'tried again once' : `tried again up to ${retries} times`;
}

function isSameServer(url: string, other: string | undefined): boolean {
  return other !== undefined && URL.parse(url)?.origin === URL.parse(other)?.origin;
}

/** Knative: a subscriber that answers with an event replies. */
function repliesIn({ headers, body }: PostResult): BrokeredEvent[] {
  try {
    return headers['ce-specversion'] === undefined && !headers['content-type']?.startsWith('application/cloudevents')
      ? []
      : brokeredEvents(headers, Object.entries(headers).flat(), body);
  } catch {
    return [];
  }
}

/** With these headers instead of its own of the same names, and without others. */
export function withHeaders(
  event: BrokeredEvent,
  added: readonly string[],
  removed: readonly string[] = [],
): BrokeredEvent {
  const names = new Set([...removed, ...added.filter((_, index) => index % 2 === 0)]);
  const kept = event.headers.filter((_, index) => !names.has(event.headers[index - (index % 2)] ?? ''));
  return { ...event, headers: [...kept, ...added] };
}
