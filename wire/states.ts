import { didYouMean } from '../core/closest.ts';
import type { Path } from '../core/schema.ts';
import {
  entriesOf,
  expressionIn,
  isObject,
  type JsonObject,
  type Located,
  listOf,
  type Oddity,
  oddityAt,
  pointerOf,
  textOf,
} from './definition-text.ts';
import type { AttributeFilter, ConsumedEvent, CorrelationRule, EmittedEvent, EventGroup, Step } from './model.ts';

/** The events of a definition, and what is odd about it. */
export interface EventsOfDefinition {
  readonly consumes: readonly ConsumedEvent[];
  readonly emits: readonly EmittedEvent[];
  readonly warnings: readonly Oddity[];
}

/** Members that hold data of users, in which nothing is a part of the workflow. */
const DATA: ReadonlySet<string> = new Set(['data', 'arguments', 'contextAttributes', 'metadata']);
/** 0.8 has the first of each pair; the second is what it was called before, and what many definitions still say. */
const PRODUCED = ['produceEventRef', 'triggerEventRef'] as const;
const CONSUMED = ['consumeEventRef', 'resultEventRef'] as const;

/** The events of a definition of Serverless Workflow 0.8; `events` of `text` are those of a file of their own, if it has one. */
export function eventsOfStates(text: Located, events: Located = text): EventsOfDefinition {
  const reader = new StatesReader(text, eventDefinitionsIn(events));
  for (const [index, state] of listOf(text.content['states']).entries())
    if (isObject(state)) reader.readState(state, ['states', index]);
  return reader;
}

/** 0.8, "Event definition". */
interface EventDefinition {
  readonly definition: JsonObject;
  readonly attributes: readonly AttributeFilter[];
  readonly correlations: readonly CorrelationRule[];
}

function eventDefinitionsIn({ content, placeOf }: Located): ReadonlyMap<string, EventDefinition> {
  const found = new Map<string, EventDefinition>();
  for (const [index, definition] of listOf(content['events']).entries()) {
    const name = isObject(definition) && textOf(definition['name']);
    if (!name) continue;
    const attributes = (['type', 'source'] as const).flatMap((attribute): AttributeFilter[] => {
      const value = textOf(definition[attribute]);
      const place = placeOf(['events', index, attribute]);
      return value === undefined ? [] : [{ name: attribute, test: 'exact', value, place }];
    });
    const correlations = listOf(definition['correlation']).flatMap((rule, at): CorrelationRule[] => {
      const attribute = isObject(rule) && textOf(rule['contextAttributeName']);
      if (!attribute) return [];
      const value = textOf(rule['contextAttributeValue']);
      const expect = value === undefined ? ({ kind: 'first' } as const) : expectationOf(value);
      const place = placeOf(['events', index, 'correlation', at]);
      return [{ name: attribute, from: { kind: 'attribute', name: attribute }, expect, place }];
    });
    found.set(name, { definition, attributes, correlations });
  }
  return found;
}

/** A constant, or what an expression yields. */
export function expectationOf(text: string): CorrelationRule['expect'] {
  const expression = expressionIn(text);
  return expression === undefined ? { kind: 'constant', value: text } : { kind: 'expression', expression };
}

class StatesReader implements EventsOfDefinition {
  readonly consumes: ConsumedEvent[] = [];
  readonly emits: EmittedEvent[] = [];
  readonly warnings: Oddity[] = [];
  readonly #text: Located;
  readonly #definitions: ReadonlyMap<string, EventDefinition>;
  readonly #start: string | undefined;

  constructor(text: Located, definitions: ReadonlyMap<string, EventDefinition>) {
    this.#text = text;
    this.#definitions = definitions;
    const { start, states } = text.content;
    const [first] = listOf(states);
    this.#start =
      textOf(start) ?? textOf(isObject(start) && start['stateName']) ?? textOf(isObject(first) && first['name']);
  }

  readState(state: JsonObject, path: Path): void {
    const step = textOf(state['name']) ?? pointerOf(path);
    const type = state['type'];
    if (type === 'event') this.#readEventState(state, path, step);
    if (type === 'callback')
      this.#consume(state['eventRef'], 'resume', { step, via: 'callback', path: [...path, 'eventRef'] }, oneOf(path));
    if (type === 'switch')
      for (const [index, condition] of listOf(state['eventConditions']).entries()) {
        const at = [...path, 'eventConditions', index, 'eventRef'];
        this.#consume(
          isObject(condition) && condition['eventRef'],
          'resume',
          { step, via: 'switch', path: at },
          oneOf(path),
        );
      }
    this.#readWithin(state, path, step);
  }

  /** Only such a state makes an instance when it is where the workflow starts. */
  #readEventState(state: JsonObject, path: Path, step: string): void {
    const role = state['name'] === this.#start ? 'start' : 'resume';
    const group: EventGroup = { mode: state['exclusive'] === false ? 'all' : 'one', path: pointerOf(path) };
    for (const [index, onEvents] of listOf(state['onEvents']).entries())
      for (const [at, reference] of listOf(isObject(onEvents) && onEvents['eventRefs']).entries())
        this.#consume(
          reference,
          role,
          { step, via: 'event', path: [...path, 'onEvents', index, 'eventRefs', at] },
          group,
        );
  }

  /** Actions, ends and transitions stand at many places of a state. */
  #readWithin(value: unknown, path: Path, step: string): void {
    if (Array.isArray(value))
      for (const [index, item] of value.entries()) this.#readWithin(item, [...path, index], step);
    for (const [name, member] of entriesOf(value)) {
      const at = [...path, name];
      if (DATA.has(name)) continue;
      if ((name === 'end' || name === 'transition') && isObject(member)) this.#readProduced(member, at, name, step);
      else if (name === 'eventRef' && isObject(member)) this.#readAction(member, at, step);
      else this.#readWithin(member, at, step);
    }
  }

  #readProduced(end: JsonObject, path: Path, via: 'end' | 'transition', step: string): void {
    for (const [index, produced] of listOf(end['produceEvents']).entries()) {
      if (!isObject(produced)) continue;
      const at = [...path, 'produceEvents', index];
      this.#emit(produced['eventRef'], produced['contextAttributes'], { step, via, path: [...at, 'eventRef'] });
    }
  }

  #readAction(action: JsonObject, path: Path, step: string): void {
    for (const name of PRODUCED)
      this.#emit(action[name], action['contextAttributes'], { step, via: 'action', path: [...path, name] });
    for (const name of CONSUMED)
      this.#consume(action[name], 'resume', { step, via: 'action', path: [...path, name] }, oneOf(path));
  }

  #consume(reference: unknown, role: ConsumedEvent['role'], step: StepAt, group: EventGroup): void {
    const found = this.#definitionOf(reference, step.path);
    if (!found) return;
    const { attributes, correlations } = found.event;
    this.consumes.push({
      ...this.#stepOf(step),
      role,
      group,
      reference: found.name,
      attributes,
      payload: [],
      correlations,
    });
  }

  #emit(reference: unknown, contextAttributes: unknown, step: StepAt): void {
    const found = this.#definitionOf(reference, step.path);
    if (!found) return;
    const { definition } = found.event;
    const attributes = Object.fromEntries(
      entriesOf(contextAttributes).map(([name, value]) => [name, constantIn(value)]),
    );
    const [type, source] = [textOf(definition['type']), textOf(definition['source'])];
    this.emits.push({ ...this.#stepOf(step), reference: found.name, type, source, attributes });
  }

  #stepOf({ step, via, path }: StepAt): Step {
    return { step, via, path: pointerOf(path), place: this.#text.placeOf(path) };
  }

  #definitionOf(reference: unknown, path: Path): { name: string; event: EventDefinition } | undefined {
    const name = textOf(reference);
    if (name === undefined) return undefined;
    const event = this.#definitions.get(name);
    if (event) return { name, event };
    const hint = didYouMean(name, [...this.#definitions.keys()]);
    this.warnings.push(oddityAt(this.#text.placeOf(path), `there is no event definition "${name}"${hint}`, true));
    return undefined;
  }
}

interface StepAt {
  readonly step: string;
  readonly via: Step['via'];
  readonly path: Path;
}

function oneOf(path: Path): EventGroup {
  return { mode: 'one', path: pointerOf(path) };
}

/** undefined: an expression makes it. */
export function constantIn(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' && expressionIn(value) === undefined ? value : undefined;
}
