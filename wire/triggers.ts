import type { TriggerFilter } from '../core/trigger-filter.ts';
import { type Asked, askedOf } from './asked.ts';
import { type Conjunction, implies, keyOf, mayOverlap, triggerFilters } from './conditions.ts';
import type { WiredWorkflow, WireSet } from './model.ts';
import { subscriberOf } from './planned-object.ts';
import { nameFrom } from './sources.ts';

/** One Trigger, and what it is for. */
export interface PlannedTrigger {
  readonly name: string;
  /** The first of those it serves: they take their events at the same place. */
  readonly workflow: WiredWorkflow;
  /** It takes what meets any of these; none implies another. */
  readonly alternatives: readonly Conjunction[];
  /** The same, as `spec.filters`. Empty: every event of the Broker. */
  readonly filters: readonly TriggerFilter[];
  /** All that is consumed through it. */
  readonly serves: readonly Asked[];
}

/**
 * The Triggers of a set, in the order of its workflows. An event that two Triggers took for one subscriber would come there
 * twice, so what may overlap shares a Trigger. `sets`: those at the same Broker.
 */
export function triggersOf(set: WireSet, sets: readonly WireSet[]): readonly PlannedTrigger[] {
  const bySubscriber = new Map<string, Asked[]>();
  for (const workflow of set.workflows) {
    const asked = workflow.consumes.map((event) => askedOf(event, workflow, { set, sets }));
    const key = JSON.stringify(subscriberOf(workflow, set, set.namespace) ?? workflow.place);
    const ofBroker = asked.filter(({ conditions }) => !isPostedDirectly(conditions, set));
    bySubscriber.set(key, [...(bySubscriber.get(key) ?? []), ...ofBroker]);
  }
  return numbered([...bySubscriber.values()].flatMap(groupsOf).map(triggerFor));
}

function triggerFor(serves: readonly [Asked, ...Asked[]]): PlannedTrigger {
  const [{ workflow }] = serves;
  const alternatives = weakestOf(serves.map(({ conditions }) => conditions));
  const name = nameFrom(`${workflow.name}-${tailOf(alternatives)}`);
  return { name, workflow, alternatives, filters: triggerFilters(alternatives), serves };
}

/** Several Triggers of one workflow may be for one type. */
function numbered(triggers: readonly PlannedTrigger[]): readonly PlannedTrigger[] {
  const seen = new Map<string, number>();
  return triggers.map((trigger) => {
    const count = (seen.get(trigger.name) ?? 0) + 1;
    seen.set(trigger.name, count);
    return count === 1 ? trigger : { ...trigger, name: `${trigger.name.slice(0, 59)}-${count}` };
  });
}

/** Events that their producer posts to the workflow itself do not come from a Broker. */
function isPostedDirectly(conditions: Conjunction, { external }: WireSet): boolean {
  const direct = external.filter((one) => one.direct === true).map(({ type }) => type);
  const type = conditions.find(({ name, test }) => name === 'type' && test === 'exact');
  return type !== undefined && type.values.every((value) => direct.includes(value));
}

/** What may overlap, directly or by way of others, together. */
function groupsOf(asked: readonly Asked[]): readonly [Asked, ...Asked[]][] {
  const groups: [Asked, ...Asked[]][] = [];
  for (const one of asked) {
    const touched = groups.filter((group) => group.some((other) => mayOverlap(one.conditions, other.conditions)));
    const [first, ...others] = touched;
    if (!first) groups.push([one]);
    for (const other of others) groups.splice(groups.indexOf(other), 1);
    first?.push(...others.flat(), one);
  }
  return groups;
}

/** Without those that another one implies, and each once. */
function weakestOf(conjunctions: readonly Conjunction[]): readonly Conjunction[] {
  const unique = [...new Map(conjunctions.map((one) => [one.map(keyOf).join(), one])).values()];
  return unique.filter((one) => !unique.some((other) => other !== one && implies(one, other) && !implies(other, one)));
}

/** What tells the Triggers of a workflow apart for people: the end of the type of their events. */
function tailOf([first]: readonly Conjunction[]): string {
  const type = first?.find(({ name }) => name === 'type')?.values[0];
  return type?.split(/[./]/).filter(Boolean).slice(-2).join('-') ?? 'all';
}
