import type { KubeObject, ObjectKind, ObjectReference } from '../controller/objects.ts';
import { nameOf, referenceTo } from '../controller/objects.ts';
import { resolveDestination, type SinkDeps, type SinkTrouble } from '../controller/sink.ts';
import { isBlocked } from '../controller/step.ts';
import { messageOf } from '../core/errors.ts';
import { usesCesql } from '../core/trigger-filter.ts';
import type { SinkDestination } from '../sources/fields.ts';
import { STARTING } from './command-run.ts';
import type { Commands } from './commands.ts';
import { type ConsumerSpec, HUB_PATHS, hubOf, pathOf } from './hubs.ts';
import { DEPLOYMENT, KNATIVE_SERVICE, SERVICE, SINK_BINDING, SUBSCRIPTION, TRIGGER } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { conditionsOf } from './observed-objects.ts';
import { type Judgement, readiness, refusal } from './readiness.ts';
import {
  annotationOf,
  commandOf,
  deploymentsOf,
  LOCAL_COMMAND,
  LOCAL_URL,
  type SinkBindingSpec,
  subjectsOf,
} from './workloads.ts';

const DUMPER = 'event-dumper';
const ANNOTATE = `on a laptop nothing runs it: annotate it with ${LOCAL_URL}: http://127.0.0.1:<port>, or with ${LOCAL_COMMAND} and give --run`;

/** What is wrong with a sink, in words of local mode. */
export function localAdviceOn(sink: ObjectReference, trouble: SinkTrouble, cluster: MemoryCluster): string | undefined {
  const { apiVersion, kind, namespace, name } = sink;
  if (trouble === 'no-address') {
    const object = cluster.find(sink);
    return object && conditionsOf(object)[0]?.message;
  }
  const namesake = cluster
    .all()
    .filter((one) => one.kind === kind && one.apiVersion !== apiVersion)
    .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  if (namesake) return `there is ${kind} ${name} of ${namesake.apiVersion}; did you mean that?`;
  return trouble === 'no-kind'
    ? `local mode has no kind ${kind} in ${apiVersion}; name a Broker, a Channel, a Service or a uri`
    : undefined;
}

const NO_CESQL =
  'spec.filters: cesql is not evaluated in local mode, so this Trigger wants no event here: say it with exact, prefix, suffix, all, any and not, or try it in a cluster';

export interface EventingOptions {
  readonly cluster: MemoryCluster;
  readonly brokerUrl: string;
  readonly dumperUrl: string;
  readonly sinks: Omit<SinkDeps, 'objects'>;
  readonly now: () => Date;
  /** undefined: there are none. */
  readonly commands?: Commands;
  /** A status could not be found out; a sentence. */
  readonly onProblem: (message: string) => void;
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
  options.commands?.watch(lookSoon);
}

type StatusOf = (object: KubeObject, options: EventingOptions) => object | Promise<object>;

const ROLES: readonly (readonly [ObjectKind, StatusOf])[] = [
  ...HUB_PATHS.map(([kind]) => [kind, hubStatus] as const),
  [SERVICE, serviceStatus],
  [KNATIVE_SERVICE, serviceStatus],
  [DEPLOYMENT, deploymentStatus],
  [SINK_BINDING, sinkBindingStatus],
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

/**
 * A Service on a laptop is where its annotation says, or where its command listens, or that of a Deployment whose pods it
 * selects; one named `event-dumper` is the dumper that is built in.
 */
function serviceStatus(object: KubeObject, { cluster, commands, dumperUrl, now }: EventingOptions): object {
  const [run] = [object, ...deploymentsOf(object, cluster)].flatMap((one) => commands?.stateOf(one) ?? []);
  const url =
    annotationOf(object, LOCAL_URL) ?? (run ? run.url : object.metadata.name === DUMPER ? dumperUrl : undefined);
  const judgement = run?.judgement ?? (url === undefined ? refusal('NoLocalURL', ANNOTATE) : { status: 'True' });
  return { ...(url !== undefined && { address: { url } }), conditions: readiness(object, judgement, now()) };
}

function deploymentStatus(object: KubeObject, { cluster, commands, now }: EventingOptions): object {
  const notRun = refusal('NotRun', `on a laptop nothing runs it: annotate it with ${LOCAL_COMMAND}, and give --run`);
  const { judgement = notRun } = commands?.stateOf(object) ?? {};
  const needNotListen = judgement.reason === STARTING && !isServed(object, cluster);
  return { conditions: readiness(object, needNotListen ? { status: 'True' } : judgement, now()) };
}

/** Whether a Service is for its pods. */
function isServed({ metadata: { uid } }: KubeObject, cluster: MemoryCluster): boolean {
  return cluster
    .all(SERVICE)
    .some((service) => deploymentsOf(service, cluster).some((one) => one.metadata.uid === uid));
}

async function sinkBindingStatus(object: KubeObject, options: EventingOptions): Promise<object> {
  const { subject, sink } = object.spec as SinkBindingSpec;
  const resolved = await resolve('sink', sink, object.metadata.namespace, options);
  if ('fault' in resolved) return { conditions: readiness(object, refusal('NotFound', resolved.fault), options.now()) };
  const subjects = subjectsOf(object, options.cluster);
  const isRun = subjects.some((one) => commandOf(one) !== undefined) && options.commands?.areRun === true;
  const byHand = { status: 'True', message: `start its subject with K_SINK=${resolved.url}` } as const;
  const missing = refusal(
    'SubjectMissing',
    `${subject.kind} ${subject.name ?? 'with such labels'} (${subject.apiVersion}) not found: create it, or name another in spec.subject`,
  );
  const judgement = subjects.length === 0 ? missing : isRun ? ({ status: 'True' } as const) : byHand;
  return { sinkUri: resolved.url, conditions: readiness(object, judgement, options.now()) };
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
  return 'fault' in subscriber ? unresolved('SubscriberNotFound', subscriber) : { status: 'True' };
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
  const [failed] = parts.flatMap(([reason, , part]) => (part && 'fault' in part ? [unresolved(reason, part)] : []));
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

/** `isStarting`: wait, and there is none. */
interface Unresolved {
  readonly fault: string;
  readonly isStarting: boolean;
}
type Resolved = { readonly url: string } | Unresolved;

/** What starts says so itself. */
function unresolved(reason: string, { fault, isStarting }: Unresolved): Judgement {
  return isStarting ? { status: 'Unknown' } : refusal(reason, fault);
}

/** `field`: of `spec`, where the destination stands. */
async function resolve(
  field: string,
  destination: SinkDestination,
  namespace: string,
  { sinks, cluster }: EventingOptions,
): Promise<Resolved> {
  const found = await resolveDestination(destination, namespace, { ...sinks, objects: cluster });
  if (!isBlocked(found)) return { url: found.done.url };
  const { ref } = destination;
  const object = ref && cluster.find({ ...ref, namespace: ref.namespace || namespace });
  const isStarting = object !== undefined && conditionsOf(object)[0]?.status === 'Unknown';
  return { fault: `spec.${field}: ${found.blocked.message}`, isStarting };
}
