import type { Asked } from './asked.ts';
import { mayPass } from './attribute-test.ts';
import { holds } from './conditions.ts';
import type { SourceAttribute, SourceEvent, WiredSource, WireSet } from './model.ts';
import { brokerReference, type PlannedObject, placeText } from './planned-object.ts';
import type { PlannedTrigger } from './triggers.ts';

/** A source, and what it is asked for. */
export interface PlannedSource {
  readonly source: WiredSource;
  /** The provider's names, in the provider's order; empty: nobody consumes anything of it. */
  readonly eventTypes: readonly string[];
  /** Whether somebody needs the attribute that a source sends only with `correlation: true`. */
  readonly correlation: boolean;
  /** Who consumes each. */
  readonly because: readonly string[];
}

/** `triggers`: all at the Broker the source sends to. */
export function plannedSource(source: WiredSource, set: WireSet, triggers: readonly PlannedTrigger[]): PlannedSource {
  const asked = triggers.flatMap(({ serves }) => serves);
  const wanted = source.events.map((event) => ({ event, by: asked.filter((one) => takes(one, source, event)) }));
  const consumed = wanted.filter(({ event, by }) => !source.fixed && !event.always && by.length > 0);
  const isAskedFor = ({ eventType }: SourceEvent) => source.eventTypes.includes(eventType);
  const known = source.events.filter((event) => isAskedFor(event) || consumed.some((one) => one.event === event));
  const names = known.map(({ eventType }) => eventType);
  return {
    source,
    // The provider may know events that this version does not.
    eventTypes: [...names, ...source.eventTypes.filter((name) => !names.includes(name))],
    correlation: consumed.some(({ event, by }) => needsCorrelation(event.attributes, by)),
    because: consumed.map(({ event, by }) => {
      const places = by.map((one) => placeText(one.event, set));
      return `${event.eventType} for ${[...new Set(places)].join(', ')}`;
    }),
  };
}

/**
 * Whether a consumer could take this event of this source. One that does not name the type is sent what others ask for; one
 * that names a pattern, only the events that can have the attributes it wants.
 */
function takes(
  { conditions, event: wanted }: Asked,
  { eventSource }: WiredSource,
  { type, attributes }: SourceEvent,
): boolean {
  const types = conditions.filter(({ name }) => name === 'type');
  const patterns = wanted.attributes.flatMap((one) =>
    one.name === 'type' && one.test === 'runtime' ? [one.expression] : [],
  );
  const given = new Map([
    ['type', type],
    ['source', eventSource],
  ]);
  const isNamed = types.some(({ test }) => test === 'exact');
  const canHave = (name: string) => given.has(name) || attributes.some((attribute) => attribute.name === name);
  return (
    types.length + patterns.length > 0 &&
    patterns.every((pattern) => mayPass(pattern, type)) &&
    conditions.every((one) => {
      const value = given.get(one.name);
      return value === undefined ? isNamed || canHave(one.name) : holds(one, value);
    })
  );
}

function needsCorrelation(attributes: readonly SourceAttribute[], by: readonly Asked[]): boolean {
  const names = attributes.filter(({ isCorrelation }) => isCorrelation).map(({ name }) => name);
  return by.some(
    ({ event, conditions }) =>
      conditions.some(({ name }) => names.includes(name)) ||
      event.correlations.some(({ from }) => from.kind === 'attribute' && names.includes(from.name)),
  );
}

export function sourceObject(planned: PlannedSource, { broker }: WireSet): PlannedObject {
  const { source, eventTypes, correlation, because } = planned;
  const { apiVersion, kind, name, namespace, spec } = source;
  const sink = { ref: brokerReference(broker, namespace) };
  return {
    object: {
      apiVersion,
      kind,
      metadata: { name, namespace },
      spec: { ...spec, eventTypes, ...(correlation && { correlation }), sink },
    },
    because,
  };
}
