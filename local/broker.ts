import { setTimeout as sleep } from 'node:timers/promises';
import { nameOf } from '../controller/objects.ts';
import type { SinkDeps } from '../controller/sink.ts';
import { messageOf } from '../core/errors.ts';
import { listen, type PortWish } from '../core/listen.ts';
import { NotACloudEventError } from '../dump/event.ts';
import { eventServer } from '../dump/event-server.ts';
import { type BrokeredEvent, brokeredEvents } from './brokered-event.ts';
import type { Report } from './dev-line.ts';
import { type Consumer, consumersOf, HUB_PATHS, type Hub } from './hubs.ts';
import { BROKER } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { type SeenEventType, SeenEventTypes } from './seen-event-types.ts';
import { type Replies, SubscriberDelivery, withHeaders } from './subscriber-delivery.ts';

export interface BrokerOptions {
  readonly host: string;
  readonly port: PortWish;
  readonly cluster: MemoryCluster;
  readonly sinks: Omit<SinkDeps, 'objects'>;
  /** What goes there is not said here. */
  readonly dumperUrl?: string | undefined;
  readonly report: Report;
}

export interface Broker {
  readonly port: number;
  /** What it took so far. */
  eventTypes(): readonly SeenEventType[];
  /** Says how many events are lost by it. */
  stop(): Promise<void>;
}

/** Replies of subscribers are events, too; so many may come of one event, one after the other or side by side. */
const MOST_REPLIES = 255;
const TOO_MANY_REPLIES = `${MOST_REPLIES} replies came of one event, more are dropped: let them not come where they came from, by a filter of the Trigger or another reply of the Subscription`;
/** What is on its way at the end, and did not fail yet, has so long to arrive. */
const LAST_MS = 500;

/**
 * All Brokers and Channels of the cluster, at `/<namespace>/<name>` and `/channels/<namespace>/<name>` of one port: takes
 * events, hands each to the Triggers and Subscriptions that want it, tries again and dead-letters as `delivery` says. It
 * keeps nothing, and a laptop is what it is for.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { host, port, cluster } = options;
  const routing = new Routing(options);
  const app = eventServer();
  for (const [kind, path] of HUB_PATHS) {
    app.post<{ Params: { namespace: string; name: string } }>(`${path}/:namespace/:name`, (request, reply) => {
      const { namespace, name } = request.params;
      const hub: Hub = { ...kind, namespace, name };
      if (!cluster.find(hub)) return reply.code(404).send(`there is no ${nameOf(hub)}\n`);
      const { headers, rawHeaders } = request.raw;
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      for (const event of brokeredEvents(headers, rawHeaders, body)) routing.take(event, hub);
      return reply.code(202).send();
    });
  }
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error instanceof NotACloudEventError ? 400 : (error.statusCode ?? 500);
    return reply.code(status).type('text/plain').send(`${error.message}\n`);
  });
  const actual = await listen(app, { host, port, setting: '--broker-port' });
  return {
    port: actual,
    eventTypes: () => routing.seen.all(),
    stop: async () => {
      await routing.stop();
      await app.close();
    },
  };
}

/** Events from their hub to whoever wants them. */
class Routing {
  readonly seen = new SeenEventTypes();
  readonly #options: BrokerOptions;
  readonly #stopping = new AbortController();
  /** One for each consumer an event is on its way to. */
  readonly #underWay = new Set<{ readonly event: BrokeredEvent; failed: boolean }>();

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  take(event: BrokeredEvent, hub: Hub): void {
    this.#route(event, hub, { left: MOST_REPLIES }).catch((error: unknown) =>
      this.#warn(`${nameOf(hub)}: event ${event.attributes['id']}: ${messageOf(error)}`),
    );
  }

  async stop(): Promise<void> {
    const end = Date.now() + LAST_MS;
    while ([...this.#underWay].some(({ failed }) => !failed) && Date.now() < end) await sleep(10);
    const { size } = new Set([...this.#underWay].map(({ event }) => event));
    this.#stopping.abort();
    if (size > 0)
      this.#warn(
        size === 1 ? '1 event was not delivered yet and is lost' : `${size} events were not delivered yet and are lost`,
      );
  }

  async #route(event: BrokeredEvent, hub: Hub, budget: { left: number }): Promise<void> {
    const { cluster, report } = this.#options;
    const outgoing = asArrived(event, hub);
    const wanting = consumersOf(hub, cluster).filter(({ wants }) => wants(event.attributes));
    this.seen.note(hub, event.attributes, wanting);
    const { type: eventType = '', id = '' } = event.attributes;
    if (wanting.length === 0) report({ type: 'unwanted', hub: nameOf(hub), eventType, id });
    await Promise.all(
      wanting.map(async (consumer) => {
        const replies = await this.#deliver(outgoing, consumer);
        if (!replies) return;
        const taken = replies.events.slice(0, Math.max(0, budget.left));
        // Said once: then it is below zero.
        if (taken.length < replies.events.length && budget.left >= 0) this.#warn(`${nameOf(hub)}: ${TOO_MANY_REPLIES}`);
        budget.left -= replies.events.length;
        await Promise.all(taken.map((reply) => this.#route(reply, replies.hub, budget)));
      }),
    );
  }

  async #deliver(event: BrokeredEvent, consumer: Consumer): Promise<Replies | undefined> {
    const entry = { event, failed: false };
    this.#underWay.add(entry);
    try {
      const deps = { ...this.#options, stop: this.#stopping.signal };
      return await new SubscriberDelivery(consumer, event, deps, () => void (entry.failed = true)).run();
    } finally {
      this.#underWay.delete(entry);
    }
  }

  #warn(message: string): void {
    this.#options.report({ type: 'warning', from: 'broker', message });
  }
}

/** With what Knative's brokers and channels add: only a broker says when an event arrived. */
function asArrived(event: BrokeredEvent, { kind, namespace }: Hub): BrokeredEvent {
  const arrival = kind === BROKER.kind ? ['ce-knativearrivaltime', new Date().toISOString()] : [];
  return withHeaders(event, [...arrival, 'kn-namespace', namespace, 'prefer', 'reply']);
}
