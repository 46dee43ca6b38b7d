import { setTimeout as sleep } from 'node:timers/promises';
import type { SinkDeps } from '../controller/sink.ts';
import { messageOf } from '../core/errors.ts';
import { listen, type PortWish } from '../core/listen.ts';
import { isWanted } from '../core/trigger-filter.ts';
import { NotACloudEventError } from '../dump/event.ts';
import { eventServer } from '../dump/event-server.ts';
import { type BrokeredEvent, brokeredEvents } from './brokered-event.ts';
import type { Report } from './dev-line.ts';
import { BROKER } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { deliverTo, triggersOf, withoutNames } from './subscriber-delivery.ts';

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
  /** Says how many events are lost by it. */
  stop(): Promise<void>;
}

/** Replies of subscribers are events, too; so many may come of one event, one after the other or side by side. */
const MOST_REPLIES = 255;
const TOO_MANY_REPLIES = `${MOST_REPLIES} replies came of one event, more are dropped: filter them out of the Triggers whose subscribers reply`;
/** What is on its way at the end, and did not fail yet, has so long to arrive. */
const LAST_MS = 500;

interface BrokerName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * All Brokers of the cluster, at `/<namespace>/<name>` of one port: takes events, hands each to the Triggers that want
 * it, tries again and dead-letters as `delivery` says. It keeps nothing, and a laptop is what it is for.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { host, port, cluster } = options;
  const routing = new Routing(options);
  const app = eventServer();
  app.post<{ Params: { namespace: string; name: string } }>('/:namespace/:name', (request, reply) => {
    const { namespace, name } = request.params;
    if (!cluster.find({ ...BROKER, namespace, name }))
      return reply.code(404).send(`there is no Broker ${namespace}/${name}\n`);
    const { headers, rawHeaders } = request.raw;
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    for (const event of brokeredEvents(headers, rawHeaders, body)) routing.take(event, { namespace, name });
    return reply.code(202).send();
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error instanceof NotACloudEventError ? 400 : (error.statusCode ?? 500);
    return reply.code(status).type('text/plain').send(`${error.message}\n`);
  });
  const actual = await listen(app, { host, port, setting: '--broker-port' });
  return {
    port: actual,
    stop: async () => {
      await routing.stop();
      await app.close();
    },
  };
}

/** Events from their Broker to whoever wants them. */
class Routing {
  readonly #options: BrokerOptions;
  readonly #stopping = new AbortController();
  /** One for each Trigger an event is on its way to. */
  readonly #underWay = new Set<{ readonly event: BrokeredEvent; failed: boolean }>();

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  take(event: BrokeredEvent, broker: BrokerName): void {
    this.#route(event, broker, { left: MOST_REPLIES }).catch((error: unknown) =>
      this.#warn(`Broker ${broker.namespace}/${broker.name}: event ${event.attributes['id']}: ${messageOf(error)}`),
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

  async #route(event: BrokeredEvent, broker: BrokerName, budget: { left: number }): Promise<void> {
    const { cluster, report } = this.#options;
    const outgoing = asArrived(event, broker);
    const wanting = triggersOf(broker, cluster).filter(({ spec }) => isWanted(event.attributes, spec));
    const { type: eventType = '', id = '' } = event.attributes;
    if (wanting.length === 0) report({ type: 'unwanted', broker: `${broker.namespace}/${broker.name}`, eventType, id });
    await Promise.all(
      wanting.map(async (trigger) => {
        const replies = await this.#deliver(outgoing, trigger);
        const taken = replies.slice(0, Math.max(0, budget.left));
        // Said once: then it is below zero.
        if (taken.length < replies.length && budget.left >= 0)
          this.#warn(`Broker ${broker.namespace}/${broker.name}: ${TOO_MANY_REPLIES}`);
        budget.left -= replies.length;
        await Promise.all(taken.map((reply) => this.#route(reply, broker, budget)));
      }),
    );
  }

  async #deliver(event: BrokeredEvent, trigger: ReturnType<typeof triggersOf>[number]): Promise<BrokeredEvent[]> {
    const entry = { event, failed: false };
    this.#underWay.add(entry);
    try {
      const deps = { ...this.#options, stop: this.#stopping.signal };
      return await deliverTo(trigger, event, deps, () => void (entry.failed = true));
    } finally {
      this.#underWay.delete(entry);
    }
  }

  #warn(message: string): void {
    this.#options.report({ type: 'warning', from: 'broker', message });
  }
}

/** With what Knative's broker adds. */
function asArrived(event: BrokeredEvent, { namespace }: BrokerName): BrokeredEvent {
  const arrived = ['ce-knativearrivaltime', new Date().toISOString(), 'kn-namespace', namespace, 'prefer', 'reply'];
  return { ...event, headers: [...withoutNames(event.headers, arrived), ...arrived] };
}
