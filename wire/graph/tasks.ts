import { isObject, type JsonObject, objectsIn, pointerOf, textOf } from '../definition-text.ts';

/** A task of the DSL 1.0, and where it stands. */
export interface NamedTask {
  readonly name: string;
  readonly task: JsonObject;
  /** JSON pointer in the definition. */
  readonly pointer: string;
}

/** Tasks within a task. */
export interface NestedList {
  readonly tasks: readonly NamedTask[];
  /** On the way to the first of them. */
  readonly label: string | undefined;
  readonly kind: 'flow' | 'failure';
}

/** The tasks of a list (DSL 1.0, "Task": `do: [{name: task}]`), in their order. */
export function tasksIn(list: unknown, pointer: string): readonly NamedTask[] {
  return objectsIn(list).flatMap((entry, index) =>
    Object.entries(entry)
      .filter((pair): pair is [string, JsonObject] => isObject(pair[1]))
      .map(([name, task]) => ({ name, task, pointer: `${pointer}${pointerOf([index, name])}` })),
  );
}

/** The lists within a task, in their order: of `do`, `for`, `try` and `catch`, `fork` (one for each branch), `listen`. */
export function nestedLists(task: JsonObject, pointer: string): readonly NestedList[] {
  const list = (value: unknown, at: string, label?: string, kind: 'flow' | 'failure' = 'flow'): NestedList => ({
    tasks: tasksIn(value, `${pointer}/${at}`),
    label,
    kind,
  });
  const { fork, catch: caught, foreach } = task;
  const branches = isObject(fork) ? tasksIn(fork['branches'], `${pointer}/fork/branches`) : [];
  return [
    list(task['do'], 'do'),
    list(task['try'], 'try'),
    ...branches.map((branch): NestedList => ({ tasks: [branch], label: undefined, kind: 'flow' })),
    list(isObject(caught) ? caught['do'] : undefined, 'catch/do', 'on an error', 'failure'),
    list(isObject(foreach) ? foreach['do'] : undefined, 'foreach/do', 'each event'),
  ].filter(({ tasks }) => tasks.length > 0);
}

/** Of all tasks, however deep. */
export function taskPointersBelow(list: unknown, pointer: string): readonly string[] {
  return tasksIn(list, pointer).flatMap(pointersOf);
}

function pointersOf({ task, pointer }: NamedTask): readonly string[] {
  return [pointer, ...nestedLists(task, pointer).flatMap(({ tasks }) => tasks.flatMap(pointersOf))];
}

const KINDS = ['call', 'emit', 'listen', 'for', 'fork', 'try', 'switch', 'raise', 'run', 'set', 'wait', 'do'] as const;

/** What kind of task it is, and of what: `call http`, `for each pet in .pets`, `wait PT5M`. */
export function detailOf(task: JsonObject): string | undefined {
  const kind = KINDS.find((name) => task[name] !== undefined);
  if (kind === undefined) return undefined;
  const value = task[kind];
  if (kind === 'for' && isObject(value))
    return `for each ${textOf(value['each']) ?? 'item'} in ${textOf(value['in']) ?? '…'}`;
  if (kind === 'run' && isObject(value)) return `run ${Object.keys(value).find((name) => RUNS.has(name)) ?? ''}`.trim();
  if (kind === 'wait') return `wait ${durationOf(value)}`;
  if (kind === 'fork' && isObject(value) && value['compete'] === true) return 'fork, the first one wins';
  return kind === 'call' ? `call ${textOf(value) ?? ''}`.trim() : kind;
}

const RUNS: ReadonlySet<string> = new Set(['container', 'script', 'shell', 'workflow']);

/** As written (ISO 8601), or `{ minutes: 5 }` as `5 minutes`. */
function durationOf(value: unknown): string {
  if (isObject(value))
    return Object.entries(value)
      .map(([unit, count]) => `${String(count)} ${unit}`)
      .join(' ');
  return textOf(value) ?? '';
}
