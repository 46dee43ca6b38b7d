import { type Conjunction, holds } from './conditions.ts';
import type { SourceEvent, WiredSource, WireSet, Wiring } from './model.ts';

/** An event of a source, and the source. */
export interface ProducedEvent {
  readonly source: WiredSource;
  readonly event: SourceEvent;
}

/** The sets whose events meet in one Broker: that of `set`, and all others with the same. */
export function setsAtBrokerOf(set: WireSet, { sets }: Wiring): readonly WireSet[] {
  const { name, namespace } = set.broker;
  return sets.filter(({ broker }) => broker.name === name && broker.namespace === namespace);
}

/** The events of sources at the same Broker that could meet the conditions, by type and source. */
export function producersOf(conditions: Conjunction, sets: readonly WireSet[]): readonly ProducedEvent[] {
  const meets = (name: string, value: string) =>
    conditions.every((condition) => condition.name !== name || holds(condition, value));
  return sets
    .flatMap(({ sources }) => sources)
    .filter(({ eventSource }) => meets('source', eventSource))
    .flatMap((source) => source.events.filter(({ type }) => meets('type', type)).map((event) => ({ source, event })));
}
