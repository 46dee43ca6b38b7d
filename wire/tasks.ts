import type { Path } from '../core/schema.ts';
import { attributeTestOf } from './attribute-test.ts';
import {
  entriesOf,
  expressionIn,
  isObject,
  type JsonObject,
  type Located,
  listOf,
  pointerOf,
  textOf,
} from './definition-text.ts';
import type {
  AttributeFilter,
  ConsumedEvent,
  CorrelationRule,
  EmittedEvent,
  EventGroup,
  PayloadConstant,
  PayloadFilter,
  Step,
} from './model.ts';
import { membersIn, predicateIn } from './payload-predicate.ts';
import { constantIn, type EventsOfDefinition, expectationOf } from './states.ts';

/** The events of a definition in DSL 1.0. */
export function eventsOfTasks(text: Located): EventsOfDefinition {
  const reader = new TasksReader(text);
  const { schedule, use, do: tasks } = text.content;
  const at = { role: 'start', step: 'schedule.on', via: 'schedule' } as const;
  if (isObject(schedule)) reader.readStrategy(schedule['on'], ['schedule', 'on'], at);
  reader.readTasks(tasks, ['do'], []);
  if (isObject(use)) reader.readReusable(use);
  return reader;
}

interface Waiting {
  readonly role: ConsumedEvent['role'];
  readonly step: string;
  readonly via: Step['via'];
}

class TasksReader implements EventsOfDefinition {
  readonly consumes: ConsumedEvent[] = [];
  readonly emits: EmittedEvent[] = [];
  readonly warnings = [];
  readonly #text: Located;

  constructor(text: Located) {
    this.#text = text;
  }

  /** DSL 1.0, "Use": functions are tasks by name, extensions have tasks of their own before and after others. */
  readReusable({ functions, extensions }: JsonObject): void {
    for (const [name, task] of entriesOf(functions)) this.#readTask(task, ['use', 'functions', name], [name]);
    for (const [index, item] of listOf(extensions).entries())
      for (const [name, extension] of entriesOf(item))
        for (const when of ['before', 'after'])
          this.readTasks(isObject(extension) && extension[when], ['use', 'extensions', index, name, when], [name]);
  }

  /** DSL 1.0, "Task list": each item has one member, the task by its name. */
  readTasks(list: unknown, path: Path, names: readonly string[]): void {
    for (const [index, item] of listOf(list).entries())
      for (const [name, task] of entriesOf(item)) this.#readTask(task, [...path, index, name], [...names, name]);
  }

  #readTask(task: unknown, path: Path, names: readonly string[]): void {
    if (!isObject(task)) return;
    const step = names.join('/');
    const { listen, emit, fork, foreach, with: arguments_ } = task;
    if (isObject(listen))
      this.readStrategy(listen['to'], [...path, 'listen', 'to'], { role: 'resume', step, via: 'listen' });
    if (isObject(emit)) this.#readEmit(emit, [...path, 'emit', 'event', 'with'], step);
    this.readTasks(task['do'], [...path, 'do'], names);
    this.readTasks(task['try'], [...path, 'try'], names);
    this.readTasks(isObject(task['catch']) && task['catch']['do'], [...path, 'catch', 'do'], names);
    this.readTasks(isObject(fork) && fork['branches'], [...path, 'fork', 'branches'], names);
    this.readTasks(isObject(foreach) && foreach['do'], [...path, 'foreach', 'do'], names);
    // What is done with each message of a call to an AsyncAPI.
    const subscription = isObject(arguments_) && task['call'] === 'asyncapi' && arguments_['subscription'];
    const each = isObject(subscription) && subscription['foreach'];
    this.readTasks(isObject(each) && each['do'], [...path, 'with', 'subscription', 'foreach', 'do'], names);
  }

  /** DSL 1.0, "Event consumption strategy". */
  readStrategy(strategy: unknown, path: Path, waiting: Waiting): void {
    if (!isObject(strategy)) return;
    const group = (mode: EventGroup['mode']): EventGroup => ({ mode, path: pointerOf(path) });
    if (isObject(strategy['one'])) this.#readFilter(strategy['one'], [...path, 'one'], waiting, group('one'));
    for (const mode of ['any', 'all'] as const)
      for (const [index, filter] of listOf(strategy[mode]).entries())
        this.#readFilter(filter, [...path, mode, index], waiting, group(mode));
    // "any" without filters takes every event.
    if (Array.isArray(strategy['any']) && strategy['any'].length === 0)
      this.#readFilter({}, [...path, 'any'], waiting, group('any'));
    this.#readUntil(strategy['until'], [...path, 'until'], waiting, group('until'));
  }

  /** A condition is for the runtime; events that end the waiting are consumed, too. */
  #readUntil(until: unknown, path: Path, waiting: Waiting, group: EventGroup): void {
    if (!isObject(until)) return;
    if (isObject(until['one'])) this.#readFilter(until['one'], [...path, 'one'], waiting, group);
    for (const mode of ['any', 'all'])
      for (const [index, filter] of listOf(until[mode]).entries())
        this.#readFilter(filter, [...path, mode, index], waiting, group);
  }

  #readFilter(filter: unknown, path: Path, waiting: Waiting, group: EventGroup): void {
    if (!isObject(filter)) return;
    const { placeOf } = this.#text;
    const { with: wanted, correlate } = filter;
    const attributes = entriesOf(wanted).flatMap(([name, value]): AttributeFilter[] => {
      if (name === 'data' || !isScalar(value)) return [];
      return [{ name, ...attributeTestOf(String(value)), place: placeOf([...path, 'with', name]) }];
    });
    const data = isObject(wanted) && Object.hasOwn(wanted, 'data') ? [wanted['data']] : [];
    const payload = data.map((value) => payloadFilterOf(value, placeOf([...path, 'with', 'data'])));
    const correlations = entriesOf(correlate).flatMap(([name, rule]): CorrelationRule[] => {
      const from = textOf(isObject(rule) && rule['from']);
      if (from === undefined) return [];
      const expect = textOf(isObject(rule) && rule['expect']);
      const place = placeOf([...path, 'correlate', name]);
      return [
        {
          name,
          from: comparedBy(from),
          expect: expect === undefined ? { kind: 'first' } : expectationOf(expect),
          place,
        },
      ];
    });
    const { role, step, via } = waiting;
    const at: Step = { step, via, path: pointerOf(path), place: placeOf(path) };
    this.consumes.push({ ...at, role, group, reference: undefined, attributes, payload, correlations });
  }

  #readEmit(emit: JsonObject, path: Path, step: string): void {
    const event = isObject(emit['event']) ? emit['event']['with'] : undefined;
    if (!isObject(event)) return;
    const { type, source, data: _data, ...others } = event;
    const attributes = Object.fromEntries(entriesOf(others).map(([name, value]) => [name, constantIn(value)]));
    const at: Step = { step, via: 'emit', path: pointerOf(path), place: this.#text.placeOf(path) };
    this.emits.push({ ...at, reference: undefined, type: constantIn(type), source: constantIn(source), attributes });
  }
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function payloadFilterOf(value: unknown, place: PayloadFilter['place']): PayloadFilter {
  const inner = typeof value === 'string' ? expressionIn(value) : undefined;
  if (inner !== undefined) return { expression: String(value), ...predicateIn(inner), place };
  // The specification does not say whether the data may have more members than these.
  return { expression: JSON.stringify(value), constants: constantsIn(value, []), isWhole: false, place };
}

function constantsIn(value: unknown, member: readonly string[]): PayloadConstant[] {
  // A text may be a regular expression, as that of an attribute may.
  if (isScalar(value) && member.length > 0 && isLiteral(String(value))) return [{ member, values: [value] }];
  return entriesOf(value).flatMap(([name, inner]) => constantsIn(inner, [...member, name]));
}

function isLiteral(text: string): boolean {
  const asked = attributeTestOf(text);
  return asked.test === 'exact' && asked.value === text;
}

/** `from` of a correlation is asked of the whole event: `.subject` is an attribute, `.data.x` a member of the data. */
function comparedBy(from: string): CorrelationRule['from'] {
  const expression = expressionIn(from) ?? from;
  const [first, ...rest] = membersIn(expression) ?? [];
  if (first === 'data' && rest.length > 0) return { kind: 'member', member: rest };
  if (first !== undefined && first !== 'data' && rest.length === 0) return { kind: 'attribute', name: first };
  return { kind: 'expression', expression };
}
