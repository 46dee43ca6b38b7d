import type { Problem } from '../core/problem.ts';
import { problemAt } from './definition-text.ts';
import type { WireSet, Wiring } from './model.ts';
import { lostBy, sinkObjects } from './plan-sinks.ts';
import { type PlannedSource, plannedSource, sourceObject } from './plan-source.ts';
import { BROKER, type PlannedObject, placeText, referenceTo, subscriberOf, TRIGGER } from './planned-object.ts';
import { setsAtBrokerOf } from './producers.ts';
import { type PlannedTrigger, triggersOf } from './triggers.ts';

/** The label all objects of a set have; its value is the name of the set. */
export const SET_LABEL = 'wire.headwater.dev/set';

export interface PlannedSet {
  readonly set: WireSet;
  /** In the order they are applied: nothing is sent before somebody takes it. */
  readonly objects: readonly PlannedObject[];
  readonly triggers: readonly PlannedTrigger[];
  readonly sources: readonly PlannedSource[];
}

export interface Plan {
  /** As in the wiring. */
  readonly sets: readonly PlannedSet[];
  /** What keeps a cluster from being what the files ask for. */
  readonly problems: readonly Problem[];
}

/** What clusters must hold so that each workflow gets what it consumes, and what it emits is taken. */
export function planOf(wiring: Wiring): Plan {
  const triggers = new Map(wiring.sets.map((set) => [set, triggersOf(set, setsAtBrokerOf(set, wiring))]));
  const sets = wiring.sets.map((set): PlannedSet => {
    const atBroker = setsAtBrokerOf(set, wiring).flatMap((one) => triggers.get(one) ?? []);
    const planned = {
      set,
      triggers: triggers.get(set) ?? [],
      sources: set.sources.map((one) => plannedSource(one, set, atBroker)),
    };
    return { ...planned, objects: objectsOf(planned) };
  });
  return { sets, problems: [...sets.flatMap(problemsOf), ...madeTwice(sets)] };
}

/** Objects of one name: what one set applies would take the other's away. */
function madeTwice(sets: readonly PlannedSet[]): readonly Problem[] {
  const first = new Map<string, WireSet>();
  return sets.flatMap(({ set, objects }) =>
    objects.flatMap(({ object: { apiVersion, kind, metadata } }) => {
      const key = JSON.stringify([apiVersion, kind, metadata.namespace, metadata.name]);
      const other = first.get(key);
      first.set(key, other ?? set);
      if (!other) return [];
      const whose = other === set ? 'of this set twice' : `of the set ${other.name}, too`;
      const advice = 'give one another name, or let one set have both';
      return [problemAt(set.place, `${kind} ${metadata.namespace}/${metadata.name} is ${whose}: ${advice}`)];
    }),
  );
}

function objectsOf({ set, triggers, sources }: Omit<PlannedSet, 'objects'>): readonly PlannedObject[] {
  const { name } = set;
  if (name === undefined) return [];
  const objects = [
    ...(set.broker.create ? [brokerObject(set)] : []),
    ...sinkObjects(set),
    ...triggers.map((trigger) => triggerObject(trigger, set)),
    ...sources.filter(({ eventTypes }) => eventTypes.length > 0).map((source) => sourceObject(source, set)),
  ];
  return objects.map(({ object, because }) => {
    const labels = { ...object.metadata.labels, [SET_LABEL]: name };
    return { object: { ...object, metadata: { ...object.metadata, labels } }, because };
  });
}

function brokerObject({ broker, config }: WireSet): PlannedObject {
  const { name, namespace } = broker;
  const annotations = { 'eventing.knative.dev/broker.class': broker.class };
  const spec = { ...(config.broker?.config && { config: config.broker.config }) };
  return { object: { ...BROKER, metadata: { name, namespace, annotations }, spec }, because: ['broker.create'] };
}

function triggerObject({ name, workflow, filters, serves }: PlannedTrigger, set: WireSet): PlannedObject {
  const { broker, namespace, config } = set;
  const delivery = workflow.config?.delivery ?? config.delivery;
  const last = delivery?.deadLetterSink;
  // A reference without a namespace is to the Trigger's, which is the Broker's; the file means its own.
  const deadLetterSink = last?.ref && {
    ...last,
    ref: referenceTo(last.ref, { namespace, ...last.ref }, broker.namespace),
  };
  return {
    object: {
      ...TRIGGER,
      metadata: { name, namespace: broker.namespace },
      spec: {
        broker: broker.name,
        ...(filters.length > 0 && { filters }),
        subscriber: subscriberOf(workflow, set, broker.namespace),
        ...(delivery && { delivery: { ...delivery, ...(deadLetterSink && { deadLetterSink }) } }),
      },
    },
    because: serves.flatMap(({ workflow: { name: taker }, event, left }) => [
      `${placeText(event, set)} ${event.role === 'start' ? 'starts' : 'resumes'} ${taker}`,
      ...left.map(({ text }) => `  left to the runtime: ${text.replace(/\s+/g, ' ')}`),
    ]),
  };
}

function problemsOf({ set, sources }: PlannedSet): readonly Problem[] {
  const { name, place, workflows, broker } = set;
  if (name === undefined) {
    const names = workflows.map((workflow) => workflow.name).join(', ');
    return [
      problemAt(place, `no wiring file (wire.yaml) says where ${names} ${workflows.length === 1 ? 'runs' : 'run'}`),
    ];
  }
  const idle = sources.filter(({ eventTypes }) => eventTypes.length === 0).map(({ source }) => source);
  return [
    ...idle.map((source) => {
      const advice = 'name some in eventTypes, or leave the source out';
      return problemAt(source.place, `no workflow consumes an event of source ${source.name}: ${advice}`);
    }),
    ...workflows.flatMap((workflow) => {
      const lost = lostBy(workflow, broker);
      return lost === undefined ? [] : [problemAt(workflow.runsAt, lost)];
    }),
  ];
}
