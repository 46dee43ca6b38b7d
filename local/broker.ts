import fastify from 'fastify';
import { resolveDestination, type SinkDeps } from '../controller/sink.ts';
import { isBlocked } from '../controller/step.ts';
import { headerValueOf } from '../core/cloud-event.ts';
import { deliveryPolicyOf } from '../core/delivery-policy.ts';
import { listen, type PortWish } from '../core/listen.ts';
import { NotACloudEventError } from '../dump/event.ts';
import type { SinkDestination } from '../sources/fields.ts';
import { type BrokeredEvent, brokeredEvents } from './brokered-event.ts';
import { BROKER, TRIGGER } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { type PostResult, postEvent } from './post-event.ts';
import { isWanted, type TriggerFilters } from './trigger-filter.ts';

export interface BrokerOptions {
  readonly host: string;
  readonly port: PortWish;
  readonly cluster: MemoryCluster;
  readonly sinks: Omit<SinkDeps, 'objects'>;
  /** An event that a subscriber did not get; a sentence. */
  readonly onProblem: (message: string) => void;
}

export interface Broker {
  readonly port: number;
  stop(): Promise<void>;
}

interface Delivery {
  readonly deadLetterSink?: SinkDestination;
  readonly retry?: number;
}

interface TriggerSpec extends TriggerFilters {
  readonly broker: string;
  readonly subscriber: SinkDestination;
  readonly delivery?: Delivery;
}

const MEBIBYTE = 1024 * 1024;
/** What Knative's installation gives a Broker that says nothing. */
const DEFAULT_DELIVERY = { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' } as const;
/** Replies of subscribers are events, too; so many may come of one event, one after the other or side by side. */
const MOST_REPLIES = 255;
const TOO_MANY_REPLIES = `${MOST_REPLIES} replies came of one event, more are dropped: filter them out of the Triggers whose subscribers reply`;

/**
 * All Brokers of the cluster, at `/<namespace>/<name>` of one port: takes events, hands each to the Triggers that want
 * it, tries again and dead-letters as `delivery` says. It keeps nothing, and a laptop is what it is for.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { host, port, cluster } = options;
  const stopping = new AbortController();
  const app = fastify({
    logger: false,
    bodyLimit: 32 * MEBIBYTE,
    forceCloseConnections: true,
    http: { maxHeaderSize: MEBIBYTE + 4096 },
  });
  app.server.maxHeadersCount = 0;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.post<{ Params: { namespace: string; name: string } }>('/:namespace/:name', (request, reply) => {
    const { namespace, name } = request.params;
    if (!cluster.find({ ...BROKER, namespace, name }))
      return reply.code(404).send(`there is no Broker ${namespace}/${name}\n`);
    const { headers, rawHeaders } = request.raw;
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    for (const event of brokeredEvents(headers, rawHeaders, body))
      void route(event, { namespace, name }, { left: MOST_REPLIES });
    return reply.code(202).send();
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error instanceof NotACloudEventError ? 400 : (error.statusCode ?? 500);
    return reply.code(status).type('text/plain').send(`${error.message}\n`);
  });

  const route = async (
    event: BrokeredEvent,
    broker: { namespace: string; name: string },
    budget: { left: number },
  ): Promise<void> => {
    const arrived = [
      'ce-knativearrivaltime',
      new Date().toISOString(),
      'kn-namespace',
      broker.namespace,
      'prefer',
      'reply',
    ];
    const outgoing = { ...event, headers: [...withoutNames(event.headers, arrived), ...arrived] };
    const wanting = triggersOf(broker, cluster).filter(({ spec }) => isWanted(event.attributes, spec));
    await Promise.all(
      wanting.map(async (trigger) => {
        const replies = await deliver(outgoing, trigger, broker, options, stopping.signal);
        const taken = replies.slice(0, Math.max(0, budget.left));
        // Said once: then it is below zero.
        if (taken.length < replies.length && budget.left >= 0)
          options.onProblem(`Broker ${broker.namespace}/${broker.name}: ${TOO_MANY_REPLIES}`);
        budget.left -= replies.length;
        await Promise.all(taken.map((reply) => route(reply, broker, budget)));
      }),
    );
  };
  const actual = await listen(app, { host, port, setting: '--broker-port' });
  return {
    port: actual,
    stop: async () => {
      stopping.abort();
      await app.close();
    },
  };
}

interface Trigger {
  readonly name: string;
  readonly spec: TriggerSpec;
}

function triggersOf({ namespace, name }: { namespace: string; name: string }, cluster: MemoryCluster): Trigger[] {
  return cluster
    .all(TRIGGER)
    .filter((trigger) => trigger.metadata.namespace === namespace)
    .map(({ metadata, spec }) => ({ name: metadata.name, spec: spec as TriggerSpec }))
    .filter(({ spec }) => spec.broker === name);
}

/** Resolves to the events the subscriber replied with. */
async function deliver(
  event: BrokeredEvent,
  { name, spec }: Trigger,
  broker: { namespace: string; name: string },
  { cluster, sinks, onProblem }: BrokerOptions,
  stop: AbortSignal,
): Promise<BrokeredEvent[]> {
  const { namespace } = broker;
  const deps = { ...sinks, objects: cluster };
  const ofBroker = (cluster.find({ ...BROKER, ...broker })?.spec ?? {}) as { delivery?: Delivery };
  const delivery = spec.delivery ?? ofBroker.delivery ?? {};
  const policy = deliveryPolicyOf({ ...DEFAULT_DELIVERY, ...delivery });
  const who = `Trigger ${namespace}/${name}`;
  const subscriber = await resolveDestination(spec.subscriber, namespace, deps);
  if (isBlocked(subscriber)) return lost(`${who}: ${subscriber.blocked.message}`);
  const result = await postEvent(subscriber.done.url, event, policy, stop);
  if (result.accepted) return repliesIn(result);
  const fault = `${who}: ${subscriber.done.url} ${result.outcome}`;
  const deadLetterSink = delivery.deadLetterSink ?? ofBroker.delivery?.deadLetterSink;
  const last = deadLetterSink && (await resolveDestination(deadLetterSink, namespace, deps));
  if (!last || isBlocked(last)) return lost(`${fault}${last ? `; dead-letter sink: ${last.blocked.message}` : ''}`);
  const second = await postEvent(last.done.url, deadLetter(event, subscriber.done.url, result), policy, stop);
  return lost(
    second.accepted ? `${fault}; it went to the dead-letter sink` : `${fault}; dead-letter sink: ${second.outcome}`,
  );

  function lost(problem: string): BrokeredEvent[] {
    if (!stop.aborted) onProblem(`${problem} (event ${event.attributes['id']})`);
    return [];
  }
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
  const why = [
    'ce-knativeerrordest',
    headerValueOf(url),
    'ce-knativeerrorcode',
    String(status === 0 ? 500 : status),
    'ce-knativeerrordata',
    data.toString('base64').slice(0, 1024),
  ];
  return { ...event, headers: [...withoutNames(event.headers, why), ...why] };
}

/** `headers` but those that `others` name, too. */
function withoutNames(headers: readonly string[], others: readonly string[]): string[] {
  const names = new Set(others.filter((_, index) => index % 2 === 0));
  return headers.filter((_, index) => !names.has(headers[index - (index % 2)] ?? ''));
}
