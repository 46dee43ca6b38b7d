import { isObject, type JsonObject, objectsIn, textOf } from '../definition-text.ts';
import type { Workflow } from '../model.ts';
import { type Diagram, DiagramBuilder, type DiagramLine, type NodeKind, shortened } from './diagram.ts';
import { type StepEvents, stepEvents } from './event-lines.ts';
import { detailOf, type NamedTask, nestedLists, taskPointersBelow, tasksIn } from './tasks.ts';

/** The tasks of a definition in the DSL 1.0, with those nested in them. */
export function tasksDiagram(workflow: Workflow): Diagram {
  return new TasksDiagram(workflow).draw();
}

/** A way out of what was drawn, not yet led anywhere. */
interface Way {
  readonly from: string;
  readonly label?: string | undefined;
  readonly kind?: 'flow' | 'failure';
}

class TasksDiagram {
  readonly #builder = new DiagramBuilder();
  readonly #workflow: Workflow;
  readonly #events: StepEvents;
  #end: string | undefined;

  constructor(workflow: Workflow) {
    this.#workflow = workflow;
    this.#events = stepEvents(workflow, ['/schedule', ...taskPointersBelow(workflow.definition['do'], '/do')]);
  }

  draw(): Diagram {
    const events = this.#events.linesAt('/schedule');
    const start =
      events.length === 0
        ? this.#builder.node('start', [])
        : this.#builder.node('waits', [{ text: 'start', style: 'name' }, ...events]);
    const out = this.#drawList(tasksIn(this.#workflow.definition['do'], '/do'), [{ from: start }], undefined);
    for (const way of out) this.#lead(way, this.#theEnd());
    return this.#builder.build(this.#workflow.name, 'down');
  }

  /** Draws tasks one after the other; returns the ways out of the list. */
  #drawList(tasks: readonly NamedTask[], into: readonly Way[], group: string | undefined): readonly Way[] {
    const nodes = new Map<string, string>();
    const jumps: { readonly way: Way; readonly to: string }[] = [];
    const exits: Way[] = [];
    let ways = into;
    const follow = (directive: string | undefined, out: readonly Way[]) => {
      // DSL 1.0, "Flow directives".
      if (directive === undefined || directive === 'continue') return out;
      for (const way of out) {
        if (directive === 'end') this.#lead(way, this.#theEnd());
        else if (directive === 'exit') exits.push(way);
        else jumps.push({ way, to: directive });
      }
      return [];
    };
    for (const task of tasks) {
      const { node, out } = this.#drawTask(task, group);
      nodes.set(task.name, node);
      const condition = textOf(task.task['if']);
      for (const way of ways)
        this.#lead(condition === undefined ? way : { ...way, label: labelled(way, condition) }, node);
      const cases = casesOf(task.task).flatMap(({ label, directive }) => follow(directive, [{ from: node, label }]));
      const past = condition === undefined ? [] : ways.map((way) => ({ ...way, label: labelled(way, 'else') }));
      ways = [...follow(textOf(task.task['then']), out), ...cases, ...past];
    }
    for (const { way, to } of jumps) this.#lead(way, nodes.get(to) ?? this.#addAbsent(to, group));
    return [...ways, ...exits];
  }

  /** Draws a task with what is nested in it; `out`: the ways that go on after it. */
  #drawTask(named: NamedTask, group: string | undefined): { readonly node: string; readonly out: readonly Way[] } {
    const { name, task, pointer } = named;
    const nested = nestedLists(task, pointer);
    const inside = nested.length === 0 ? group : this.#builder.group('', group);
    const lines: DiagramLine[] = [{ text: shortened(name), style: 'name' }];
    const detail = detailOf(task);
    if (detail !== undefined) lines.push({ text: shortened(detail), style: 'detail' });
    const node = this.#builder.node(this.#kindOf(named), [...lines, ...this.#events.linesAt(pointer)], inside);
    if (isObject(task['raise'])) return { node, out: [] };
    const ends = nested.flatMap(({ tasks, label, kind }) =>
      this.#drawList(tasks, [{ from: node, label, kind }], inside),
    );
    const isLoop = isObject(task['for']) || isObject(task['foreach']);
    if (isLoop) for (const way of ends) this.#lead({ ...way, label: labelled(way, 'next') }, node);
    const goesOn = nested.length === 0 || isLoop || (task['listen'] !== undefined && ends.length === 0);
    // The ways out of a switch are its cases; where none is the default, the next task is another.
    const isDecided = task['switch'] !== undefined && casesOf(task).some(({ isDefault }) => isDefault);
    const own: Way[] =
      goesOn && !isDecided ? [{ from: node, label: isLoop ? 'done' : task['switch'] ? 'otherwise' : undefined }] : [];
    return { node, out: [...own, ...(isLoop ? [] : ends)] };
  }

  #kindOf({ task, pointer }: NamedTask): NodeKind {
    if (task['switch'] !== undefined) return 'choice';
    if (task['raise'] !== undefined) return 'absent';
    if (this.#events.isWaitedFor(pointer)) return 'waits';
    return this.#events.isSent(pointer) ? 'sends' : 'step';
  }

  #lead({ from, label, kind = 'flow' }: Way, to: string): void {
    this.#builder.edge({ from, to, label, kind });
  }

  #addAbsent(name: string, group: string | undefined): string {
    const lines = [
      { text: shortened(name), style: 'name' as const },
      { text: 'no such task', style: 'detail' as const },
    ];
    return this.#builder.node('absent', lines, group);
  }

  #theEnd(): string {
    this.#end ??= this.#builder.node('end', []);
    return this.#end;
  }
}

function labelled({ label }: Way, more: string): string {
  return shortened(label === undefined ? more : `${label}, ${more}`);
}

/** The cases of a switch: `switch: [{name: {when, then}}]`. */
function casesOf(task: JsonObject) {
  return objectsIn(task['switch'])
    .flatMap((one) => Object.entries(one))
    .map(([name, value]) => {
      const given = isObject(value) ? value : {};
      const when = textOf(given['when']);
      return { label: shortened(when ?? name), directive: textOf(given['then']), isDefault: when === undefined };
    });
}
