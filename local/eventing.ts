import type { KubeObject, ObjectKind, ObjectReference } from '../controller/objects.ts';
import { nameOf, referenceTo } from '../controller/objects.ts';
import { resolveDestination, type SinkDeps, type SinkTrouble } from '../controller/sink.ts';
import { isBlocked } from '../controller/step.ts';
import { messageOf } from '../core/errors.ts';
import { usesCesql } from '../core/trigger-filter.ts';
import type { SinkDestination } from '../sources/fields.ts';
import { type ConsumerSpec, HUB_PATHS, hubOf, pathOf } from './hubs.ts';
import { KNATIVE_SERVICE, SERVICE, SUBSCRIPTION, TRIGGER } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { conditionsOf } from './observed-objects.ts';

const LOCAL_URL = 'local.headwater.dev/url';
const DUMPER = 'event-dumper';
const ANNOTATE = `on a laptop nothing runs it: annotate it with ${LOCAL_URL}: http://127.0.0.1:<port>`;

/** What is wrong with a sink, in words of local mode. */
export function localAdviceOn({ apiVersion, kind }: ObjectReference, trouble: SinkTrouble): string | undefined {
  if (trouble === 'no-kind')
    return `local mode has no kind ${kind} in ${apiVersion}; name a Broker, a Channel, a Service or a uri`;
  return kind === 'Service' ? ANNOTATE : undefined;
}

const NO_CESQL =
  'spec.filters: cesql is not evaluated in local mode, so this Trigger wants no event here: say it with exact, prefix, suffix, all, any and not, or try it in a cluster';

export interface EventingOptions {
  readonly cluster: MemoryCluster;
  readonly brokerUrl: string;
  readonly dumperUrl: string;
  readonly sinks: Omit<SinkDeps, 'objects'>;
  readonly now: () => Date;
  /** A status could not be found out; a sentence. */
  readonly onProblem: (message: string) => void;
}

interface Judgement {
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

/** Plays the controllers of Brokers, Channels, their consumers and Services: gives each the status a sink is found by. */
export function startEventing(options: EventingOptions): void {
  const { cluster } = options;
  const look = async () => {
    isDue = false;
    for (const [kind, statusOf] of ROLES) {
      for (const object of cluster.all(kind)) cluster.setStatus(referenceTo(object), await statusOf(object, options));
    }
  };
  // One look at a time; a status that is as it was changes nothing, so this comes to rest.
  let isDue = false;
  let looking = Promise.resolve();
  const lookSoon = () => {
    if (isDue) return;
    isDue = true;
    looking = looking.then(look).catch((error: unknown) => options.onProblem(messageOf(error)));
  };
  for (const kind of EVENTING_KINDS) cluster.watch(kind, lookSoon);
}

type StatusOf = (object: KubeObject, options: EventingOptions) => object | Promise<object>;

const ROLES: readonly (readonly [ObjectKind, StatusOf])[] = [
  ...HUB_PATHS.map(([kind]) => [kind, hubStatus] as const),
  [SERVICE, serviceStatus],
  [KNATIVE_SERVICE, serviceStatus],
  [TRIGGER, triggerStatus],
  [SUBSCRIPTION, subscriptionStatus],
];

/** The kinds that are given a status here. */
export const EVENTING_KINDS: readonly ObjectKind[] = ROLES.map(([kind]) => kind);

function hubStatus(object: KubeObject, { brokerUrl, now }: EventingOptions): object {
  return {
    address: { name: 'http', url: `${brokerUrl}${pathOf(referenceTo(object))}` },
    conditions: readiness(object, { status: 'True' }, now()),
  };
}

/** The dumper as a Service of any namespace, for manifests that count on `config/event-dumper`. */
export function builtInDumper({ apiVersion, kind, namespace, name }: ObjectReference, url: string) {
  if (name !== DUMPER || apiVersion !== SERVICE.apiVersion || kind !== SERVICE.kind) return undefined;
  const metadata = { name, namespace, uid: DUMPER, generation: 1, creationTimestamp: '' };
  return { ...SERVICE, metadata, status: { address: { url } } };
}

/** A Service on a laptop runs wherever its annotation says; one named `event-dumper` is the dumper that is built in. */
function serviceStatus(object: KubeObject, { dumperUrl, now }: EventingOptions): object {
  const { annotations = {}, name } = object.metadata;
  const url = annotations[LOCAL_URL] ?? (name === DUMPER ? dumperUrl : undefined);
  if (url === undefined)
    return { conditions: readiness(object, { status: 'False', reason: 'NoLocalURL', message: ANNOTATE }, now()) };
  return { address: { url }, conditions: readiness(object, { status: 'True' }, now()) };
}

async function triggerStatus(object: KubeObject, options: EventingOptions): Promise<object> {
  const { namespace } = object.metadata;
  const spec = object.spec as ConsumerSpec;
  const broker = hubOf(spec, namespace);
  const subscriber = await resolve('subscriber', spec.subscriber, namespace, options);
  return {
    ...('url' in subscriber && { subscriberUri: subscriber.url }),
    conditions: readiness(object, judgementOfTrigger(spec, broker, subscriber, options), options.now()),
  };
}

function judgementOfTrigger(
  { filters = [] }: ConsumerSpec,
  broker: ObjectReference,
  subscriber: Resolved,
  { cluster }: EventingOptions,
): Judgement {
  if (!cluster.find(broker))
    return refusal(
      'BrokerDoesNotExist',
      `${nameOf(broker)} (${broker.apiVersion}) not found: create it, or name another in spec.broker`,
    );
  if (filters.some(usesCesql)) return refusal('FilterNotSupported', NO_CESQL);
  return 'fault' in subscriber ? refusal('SubscriberNotFound', subscriber.fault) : { status: 'True' };
}

async function subscriptionStatus(object: KubeObject, options: EventingOptions): Promise<object> {
  const { namespace } = object.metadata;
  const spec = object.spec as ConsumerSpec;
  const channel = hubOf(spec, namespace);
  const resolved = async (field: string, destination: SinkDestination | undefined) =>
    destination && (await resolve(field, destination, namespace, options));
  const subscriber = await resolved('subscriber', spec.subscriber);
  const reply = await resolved('reply', spec.reply);
  const deadLetterSink = await resolved('delivery.deadLetterSink', spec.delivery?.deadLetterSink);
  const parts = [
    ['SubscriberResolveFailed', 'subscriberUri', subscriber],
    ['ReplyResolveFailed', 'replyUri', reply],
    ['DeadLetterSinkResolveFailed', 'deadLetterSinkUri', deadLetterSink],
  ] as const;
  const [failed] = parts.flatMap(([reason, , part]) => (part && 'fault' in part ? [refusal(reason, part.fault)] : []));
  return {
    physicalSubscription: Object.fromEntries(
      parts.flatMap(([, name, part]) => (part && 'url' in part ? [[name, part.url]] : [])),
    ),
    conditions: readiness(object, channelFault(channel, options) ?? failed ?? { status: 'True' }, options.now()),
  };
}

function channelFault(channel: ObjectReference, { cluster }: EventingOptions): Judgement | undefined {
  if (cluster.find(channel)) return undefined;
  const isKnown = HUB_PATHS.some(([{ kind }]) => kind === channel.kind);
  const advice = isKnown
    ? 'not found: create it, or name another in spec.channel'
    : 'is not of local mode: name a Channel, which is in memory here, or try it in a cluster';
  return refusal('ChannelReferenceFailed', `${nameOf(channel)} (${channel.apiVersion}) ${advice}`);
}

type Resolved = { readonly url: string } | { readonly fault: string };

/** `field`: of `spec`, where the destination stands. */
async function resolve(
  field: string,
  destination: SinkDestination,
  namespace: string,
  { sinks, cluster }: EventingOptions,
): Promise<Resolved> {
  const found = await resolveDestination(destination, namespace, { ...sinks, objects: cluster });
  return isBlocked(found) ? { fault: `spec.${field}: ${found.blocked.message}` } : { url: found.done.url };
}

function refusal(reason: string, message: string): Judgement {
  return { status: 'False', reason, message };
}

function readiness(object: KubeObject, judgement: Judgement, now: Date): object[] {
  const [before] = conditionsOf(object);
  const lastTransitionTime = before?.status === judgement.status ? before.lastTransitionTime : now.toISOString();
  return [{ type: 'Ready', ...judgement, lastTransitionTime }];
}
