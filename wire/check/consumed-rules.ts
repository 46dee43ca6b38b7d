import { closestTo, didYouMean } from '../../core/closest.ts';
import type { Place } from '../../core/problem.ts';
import type { Asked } from '../asked.ts';
import { type Condition, type Conjunction, holds } from '../conditions.ts';
import type { AttributeFilter, WiredWorkflow, WireSet } from '../model.ts';
import { type ProducedEvent, producersOf } from '../producers.ts';
import type { Finding, RuleName, Severity } from './finding.ts';

/** An EventType of a cluster, as far as it says who produces what. */
export interface LiveEventType {
  readonly type: string;
  /** undefined: any. */
  readonly source: string | undefined;
}

export interface ConsumedCheck {
  readonly asked: Asked;
  readonly workflow: WiredWorkflow;
  readonly set: WireSet;
  /** Those at the same Broker. */
  readonly sets: readonly WireSet[];
  readonly live: readonly LiveEventType[];
}

/** What somebody may send, as far as it is known. */
interface Produced {
  readonly type: string;
  /** undefined: any, or not known. */
  readonly source: string | undefined;
  /** Names; undefined: not known. */
  readonly attributes: ReadonlySet<string> | undefined;
}

/** Every event has them, or may have them without anybody saying so. */
const OF_CLOUDEVENTS = ['type', 'source', 'id', 'specversion', 'subject', 'time', 'datacontenttype', 'dataschema'];

/** What is to be said of one event that a workflow consumes. */
export function checkConsumed(check: ConsumedCheck): readonly Finding[] {
  const { conditions, event } = check.asked;
  const types = conditions.filter(({ name }) => name === 'type');
  // An expression that only the runtime can judge is no condition.
  const saysType = types.length > 0 || event.attributes.some(({ name }) => name === 'type');
  const always = withoutCorrelation(check);
  if (event.attributes.length === 0) return [...catchAll(check), ...always, ...runtimeFilters(check)];
  const nearType = saysType ? undefined : event.attributes.find(({ name }) => closestTo(name, ['type']));
  if (nearType) return [...withoutType(check, nearType), ...always];
  const ofType = producedBy(check).filter(({ type }) => types.every((one) => holds(one, type)));
  if (ofType.length === 0) return [...(types.length > 0 ? noProducer(check, types) : runtimeFilters(check)), ...always];
  const ofSource = ofType.filter(({ source }) => source === undefined || meets(conditions, 'source', source));
  if (ofSource.length === 0) return [...sourceMismatch(check, ofType), ...always];
  return [
    ...repositoryMismatch(check),
    ...notSubscribed(check),
    ...neverSet(check, ofSource),
    ...always,
    ...runtimeFilters(check),
  ];
}

function meets(conditions: Conjunction, name: string, value: string): boolean {
  return conditions.every((one) => one.name !== name || holds(one, value));
}

function producedBy({ sets, live }: ConsumedCheck): readonly Produced[] {
  const names = (attributes: readonly string[]) => new Set([...OF_CLOUDEVENTS, ...attributes]);
  return [
    ...sets.flatMap(({ sources, external, workflows }) => [
      ...sources.flatMap(({ eventSource: source, events }) =>
        events.map(({ type, attributes }) => ({ type, source, attributes: names(attributes.map(({ name }) => name)) })),
      ),
      ...external.map(({ type, source, attributes }) => ({
        type,
        source,
        attributes: attributes && names(attributes),
      })),
      ...workflows.flatMap(({ emits }) =>
        emits.flatMap(({ type, source, attributes }) =>
          type === undefined ? [] : [{ type, source, attributes: names(Object.keys(attributes)) }],
        ),
      ),
    ]),
    ...live.map(({ type, source }) => ({ type, source, attributes: undefined })),
  ];
}

function finding(
  { asked, workflow }: ConsumedCheck,
  rule: RuleName,
  severity: Severity,
  { message, place }: { readonly message: string; readonly place?: Place | undefined },
): Finding {
  return { rule, severity, place: place ?? asked.event.place, workflow: workflow.name, message };
}

/** Of the condition in the definition, where it is written there. */
function placeOf({ asked }: ConsumedCheck, name: string): Place | undefined {
  return asked.event.attributes.find((filter) => filter.name === name)?.place;
}

const textOf = ({ test, values }: Condition) =>
  values.map((value) => ({ exact: value, prefix: `${value}…`, suffix: `…${value}` })[test]).join(' or ');

function catchAll(check: ConsumedCheck): Finding[] {
  const message = `${check.asked.event.step} takes every event of the Broker, whatever it is; say which: type, at least`;
  return [finding(check, 'catch-all', 'warning', { message })];
}

/** An attribute may be called nearly `type`, but that is what misspelt ones are called. */
function withoutType(check: ConsumedCheck, { name, place }: AttributeFilter): Finding[] {
  const message = `${check.asked.event.step} takes events of every type that carry an attribute ${name}; did you mean type?`;
  return [finding(check, 'catch-all', 'warning', { message, place })];
}

function noProducer(check: ConsumedCheck, types: Conjunction): Finding[] {
  const { set, sets } = check;
  const known = [...new Set(producedBy(check).map(({ type }) => type))];
  const emitsUnknown = sets.some(({ workflows }) =>
    workflows.some(({ emits }) => emits.some(({ type }) => type === undefined)),
  );
  const wanted = types.map(textOf).join(', ');
  const hint = didYouMean(wanted, known) || '; add the source, or the producer under external in wire.yaml';
  const message = `nobody here produces ${wanted}${hint}`;
  // Without wire.yaml nothing says who produces what; an emitted type that an expression makes may be this one.
  const severity = set.name === undefined || emitsUnknown ? 'warning' : 'error';
  return [finding(check, 'no-producer', severity, { message, place: placeOf(check, 'type') })];
}

function sourceMismatch(check: ConsumedCheck, ofType: readonly Produced[]): Finding[] {
  const wanted = check.asked.conditions.filter(({ name }) => name === 'source').map(textOf);
  const there = [...new Set(ofType.map(({ source }) => source ?? ''))];
  const message = `events of this type come with source ${there.join(' or ')}, and ${wanted.join(', ')} is asked for`;
  return [finding(check, 'source-mismatch', 'error', { message, place: placeOf(check, 'source') })];
}

/** Of attributes that are the same on all events of a source. Providers pass over case there. */
function repositoryMismatch(check: ConsumedCheck): Finding[] {
  const { conditions } = check.asked;
  const producers = producersOf(conditions, check.sets);
  if (producers.length === 0 || hasOtherProducers(check)) return [];
  return conditions.flatMap((condition) => {
    const { name } = condition;
    const values = producers.map(({ source: { constants } }) =>
      Object.hasOwn(constants, name) ? constants[name] : undefined,
    );
    const isPossible = (value: string | undefined) =>
      value === undefined ||
      condition.values.some((one) => holds({ ...condition, values: [one.toLowerCase()] }, value.toLowerCase()));
    if (values.some(isPossible)) return [];
    const there = [...new Set(values)].join(' or ');
    const message = `${name} is always ${there} here, and ${textOf(condition)} is asked for`;
    return [finding(check, 'source-mismatch', 'error', { message, place: placeOf(check, name) })];
  });
}

/** Whether somebody else than a source may send the event. */
function hasOtherProducers({ asked, sets, live }: ConsumedCheck): boolean {
  const isOfType = (type: string) => meets(asked.conditions, 'type', type);
  return (
    live.some(({ type }) => isOfType(type)) ||
    sets.some(
      ({ external, workflows }) =>
        external.some(({ type }) => isOfType(type)) ||
        workflows.some(({ emits }) => emits.some(({ type }) => type === undefined || isOfType(type))),
    )
  );
}

function notSubscribed(check: ConsumedCheck): Finding[] {
  const producers = producersOf(check.asked.conditions, check.sets);
  if (producers.length === 0 || hasOtherProducers(check)) return [];
  const isAsked = ({ source, event }: ProducedEvent) =>
    !source.fixed || event.always || source.eventTypes.includes(event.eventType) || source.eventTypes.includes('*');
  const [first] = producers;
  if (!first || producers.some(isAsked)) return [];
  const { source, event } = first;
  const message = `source ${source.name} does not ask for ${event.eventType}; add it to its eventTypes (${source.place.file}:${source.place.line}), or leave out fixed`;
  return [finding(check, 'not-subscribed', 'error', { message, place: placeOf(check, 'type') })];
}

/** Attributes that none of those who send the event set. */
function neverSet(check: ConsumedCheck, produced: readonly Produced[]): Finding[] {
  const isSet = (name: string) => produced.some(({ attributes }) => attributes === undefined || attributes.has(name));
  const known = [...new Set(produced.flatMap(({ attributes }) => [...(attributes ?? [])]))];
  const rest = known.filter((name) => !OF_CLOUDEVENTS.includes(name)).toSorted();
  const hintOf = (name: string) =>
    didYouMean(name, known) || (rest.length > 0 ? `; it carries ${rest.join(', ')}` : '; it carries no extension');
  const conditions = check.asked.conditions.filter(({ name, origin }) => origin !== 'correlation' && !isSet(name));
  const correlations = check.asked.event.correlations.flatMap(({ from, place }) =>
    from.kind === 'attribute' && !isSet(from.name) ? [{ name: from.name, place }] : [],
  );
  return [
    ...conditions.map(({ name }) => {
      const message = `no event of this type carries the attribute ${name}, so none is taken${hintOf(name)}`;
      return finding(check, 'attribute-never-set', 'error', { message, place: placeOf(check, name) });
    }),
    ...correlations.map(({ name, place }) => {
      const message = `no event of this type carries the attribute ${name}, by which the instance is found${hintOf(name)}`;
      return finding(check, 'correlation-never-set', 'error', { message, place });
    }),
  ];
}

/** SonataFlow finds the instance by an attribute of its own, `kogitoprocrefid`. */
function withoutCorrelation(check: ConsumedCheck): Finding[] {
  const { event } = check.asked;
  if (event.role === 'start' || event.correlations.length > 0 || check.workflow.runtime?.kind === 'sonataflow')
    return [];
  const message = `${event.step} says nothing of which instance an event is for: each one that waits takes it; correlate it`;
  return [finding(check, 'no-correlation', 'warning', { message })];
}

function runtimeFilters(check: ConsumedCheck): Finding[] {
  return check.asked.left.map(({ text, place }) => {
    const message = `only the runtime can apply ${text.replace(/\s+/g, ' ')}; the Trigger lets through what it refuses`;
    return finding(check, 'runtime-filter', 'info', { message, place });
  });
}
