import type { KubeObject, ObjectKind, ObjectReference } from '../controller/objects.ts';
import { nameOf, referenceTo } from '../controller/objects.ts';
import { resolveDestination, type SinkDeps, type SinkTrouble } from '../controller/sink.ts';
import { isBlocked } from '../controller/step.ts';
import { messageOf } from '../core/errors.ts';
import { usesCesql } from '../core/trigger-filter.ts';
import { BROKER, KNATIVE_SERVICE, SERVICE, TRIGGER } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { conditionsOf } from './observed-objects.ts';
import type { TriggerSpec } from './subscriber-delivery.ts';

const LOCAL_URL = 'local.headwater.dev/url';
const DUMPER = 'event-dumper';
const ANNOTATE = `on a laptop nothing runs it: annotate it with ${LOCAL_URL}: http://127.0.0.1:<port>`;

/** What is wrong with a sink, in words of local mode. */
export function localAdviceOn({ apiVersion, kind }: ObjectReference, trouble: SinkTrouble): string | undefined {
  if (trouble === 'no-kind')
    return `local mode has no kind ${kind} in ${apiVersion}; name a Broker, a Service or a uri`;
  return kind === 'Service' ? ANNOTATE : undefined;
}

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

/** Plays the controllers of Brokers, Triggers and Services: gives each the status a source's sink is found by. */
export function startEventing(options: EventingOptions): void {
  const { cluster } = options;
  const roles: readonly (readonly [ObjectKind, (object: KubeObject) => object | Promise<object>])[] = [
    [BROKER, (object) => brokerStatus(object, options)],
    [SERVICE, (object) => serviceStatus(object, options)],
    [KNATIVE_SERVICE, (object) => serviceStatus(object, options)],
    [TRIGGER, (object) => triggerStatus(object, options)],
  ];
  const look = async () => {
    isDue = false;
    for (const [kind, statusOf] of roles) {
      for (const object of cluster.all(kind)) cluster.setStatus(referenceTo(object), await statusOf(object));
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
  for (const [kind] of roles) cluster.watch(kind, lookSoon);
}

function brokerStatus(object: KubeObject, { brokerUrl, now }: EventingOptions): object {
  const { namespace, name } = object.metadata;
  return {
    address: { name: 'http', url: `${brokerUrl}/${namespace}/${name}` },
    conditions: readiness(object, { status: 'True' }, now()),
  };
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
  const { broker, subscriber, filters = [] } = object.spec as TriggerSpec;
  const reference: ObjectReference = { ...BROKER, namespace, name: broker };
  const found = await resolveDestination(subscriber, namespace, { ...options.sinks, objects: options.cluster });
  return {
    ...(isBlocked(found) ? {} : { subscriberUri: found.done.url }),
    conditions: readiness(
      object,
      filters.some(usesCesql) ? NO_CESQL : judgementOf(reference, found, options),
      options.now(),
    ),
  };
}

const NO_CESQL: Judgement = {
  status: 'False',
  reason: 'FilterNotSupported',
  message:
    'spec.filters: cesql is not evaluated in local mode, so this Trigger wants no event here: say it with exact, prefix, suffix, all, any and not, or try it in a cluster',
};

function judgementOf(
  broker: ObjectReference,
  found: Awaited<ReturnType<typeof resolveDestination>>,
  { cluster }: EventingOptions,
): Judgement {
  if (!cluster.find(broker))
    return {
      status: 'False',
      reason: 'BrokerDoesNotExist',
      message: `${nameOf(broker)} (${broker.apiVersion}) not found: create it, or name another in spec.broker`,
    };
  if (isBlocked(found))
    return { status: 'False', reason: 'SubscriberNotFound', message: `spec.subscriber: ${found.blocked.message}` };
  return { status: 'True' };
}

function readiness(object: KubeObject, judgement: Judgement, now: Date): object[] {
  const [before] = conditionsOf(object);
  const lastTransitionTime = before?.status === judgement.status ? before.lastTransitionTime : now.toISOString();
  return [{ type: 'Ready', ...judgement, lastTransitionTime }];
}
