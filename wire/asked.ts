import type { Place } from '../core/problem.ts';
import { type Condition, type Conjunction, holds, keyOf } from './conditions.ts';
import type { ConsumedEvent, PayloadConstant, WiredWorkflow, WireSet } from './model.ts';
import { producersOf } from './producers.ts';

/** What a Trigger can ask for on behalf of one consumed event, and what remains for the runtime. */
export interface Asked {
  readonly workflow: WiredWorkflow;
  readonly event: ConsumedEvent;
  /** By name, `type` and `source` first. */
  readonly conditions: Conjunction;
  readonly left: readonly RuntimeFilter[];
}

/** A filter that only the runtime can apply. */
export interface RuntimeFilter {
  /** `<attribute>: <what is asked of it>`, or `data: <expression>`, as the definition has it. */
  readonly text: string;
  readonly place: Place;
}

/** What Knative takes as the name of an attribute in a Trigger. */
const ATTRIBUTE = /^[a-z][a-z0-9]*$/;
/** Knative compares the time as Go writes it; every event it takes is of version 1.0, which YAML reads as the number 1. */
const NOT_ASKED: ReadonlySet<string> = new Set(['time', 'specversion']);
/** What does not survive as the value of a header: space around it is cut off, and control characters are encoded. */
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const CHANGED_ON_THE_WAY = /^\s|\s$|[\x00-\x1f\x7f]/;

/** `sets`: those at the Broker of the workflow's set, whose sources produce events. */
export function askedOf(
  event: ConsumedEvent,
  workflow: WiredWorkflow,
  { set, sets }: { readonly set: WireSet; readonly sets: readonly WireSet[] },
): Asked {
  const own: Condition[] = [];
  const left: RuntimeFilter[] = [];
  for (const { place, ...filter } of event.attributes) {
    if (filter.test === 'runtime') left.push({ text: `${filter.name}: ${filter.expression}`, place });
    else if (!mayAsk(filter.name) || filter.value === '') left.push({ text: `${filter.name}: ${filter.value}`, place });
    else own.push({ name: filter.name, test: filter.test, values: [filter.value], origin: 'definition' });
  }
  own.push(...ofConfig(workflow.config, set), ...event.correlations.flatMap(ofCorrelation));
  for (const { constants, isWhole, expression, place } of event.payload) {
    const promoted = constants.map((constant) => promotedOf(constant, own, sets));
    own.push(...promoted.filter((one) => one !== undefined));
    if (!isWhole || promoted.includes(undefined)) left.push({ text: `data: ${expression}`, place });
  }
  return { workflow, event, conditions: sorted(own), left };
}

function ofConfig(config: WiredWorkflow['config'], set: WireSet): Condition[] {
  const { sources, attributes = {} } = config ?? {};
  const exact = (name: string, values: readonly string[]): Condition => ({
    name,
    test: 'exact',
    values: values.toSorted(),
    origin: 'wire.yaml',
  });
  const urls = set.sources.filter(({ name }) => sources?.includes(name)).map(({ eventSource }) => eventSource);
  const ofSources = sources === undefined ? [] : [exact('source', [...new Set(urls)])];
  return [...ofSources, ...Object.entries(attributes).map(([name, value]) => exact(name, [value]))];
}

function mayAsk(name: string): boolean {
  return ATTRIBUTE.test(name) && !NOT_ASKED.has(name);
}

/** A constant that an attribute must have to be for this instance; other correlations are each instance's own. */
function ofCorrelation({ from, expect }: ConsumedEvent['correlations'][number]): Condition[] {
  if (from.kind !== 'attribute' || expect.kind !== 'constant' || !mayAsk(from.name)) return [];
  return [{ name: from.name, test: 'exact', values: [expect.value], origin: 'correlation' }];
}

/**
 * The condition on an attribute that a condition on the payload becomes, where all that sends such events sets the
 * attribute to just that member. undefined: somebody does not, or nobody is known to send them.
 */
function promotedOf(
  { member, values }: PayloadConstant,
  conditions: Conjunction,
  sets: readonly WireSet[],
): Condition | undefined {
  // A number beyond the exact ones may be written in another way than it came; no Trigger asks for nothing.
  const isSentAsItIs = (value: PayloadConstant['values'][number]) =>
    typeof value === 'number' ? Number.isSafeInteger(value) : value !== '' && !CHANGED_ON_THE_WAY.test(String(value));
  if (!values.every(isSentAsItIs)) return undefined;
  const producers = producersOf(conditions, sets);
  const names = new Set(
    producers.map(({ event }) => event.attributes.find((attribute) => isMember(attribute.member, member))?.name),
  );
  const [name, ...others] = names;
  if (name === undefined || others.length > 0 || isSentByOthers(conditions, name, sets)) return undefined;
  return { name, test: 'exact', values: [...new Set(values.map(String))].toSorted(), origin: 'payload' };
}

function isMember(own: readonly string[] | undefined, member: readonly string[]): boolean {
  return own !== undefined && own.length === member.length && own.every((name, index) => name === member[index]);
}

/** Whether somebody else sends events of the type, which may lack the attribute. */
function isSentByOthers(conditions: Conjunction, attribute: string, sets: readonly WireSet[]): boolean {
  const types = conditions.filter(({ name }) => name === 'type');
  const isOfType = (type: string) => types.every((one) => holds(one, type));
  return sets.some(
    ({ external, workflows }) =>
      external.some(({ type, attributes = [] }) => isOfType(type) && !attributes.includes(attribute)) ||
      workflows.some(({ emits }) => emits.some(({ type }) => type !== undefined && isOfType(type))),
  );
}

const FIRST = ['type', 'source'];

/** Each condition once, in an order that does not depend on how it is written. */
function sorted(conditions: readonly Condition[]): Conjunction {
  const rank = ({ name }: Condition) => (FIRST.includes(name) ? `${FIRST.indexOf(name)}` : `9${name}`);
  const unique = new Map(conditions.map((one) => [keyOf(one), one]));
  return [...unique.values()].toSorted((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}
