import { isObject, type JsonObject, objectsIn, textOf } from '../definition-text.ts';
import type { Workflow } from '../model.ts';
import { type Diagram, DiagramBuilder, type DiagramLine, shortened } from './diagram.ts';
import { type StepEvents, stepEvents, typeOf } from './event-lines.ts';

/** The states of Serverless Workflow 0.8, and the transitions between them. */
export function statesDiagram(workflow: Workflow): Diagram {
  return new StatesDiagram(workflow).draw();
}

class StatesDiagram {
  readonly #builder = new DiagramBuilder();
  readonly #workflow: Workflow;
  readonly #states: readonly JsonObject[];
  readonly #events: StepEvents;
  readonly #ids = new Map<string, string>();
  #end: string | undefined;

  constructor(workflow: Workflow) {
    this.#workflow = workflow;
    this.#states = objectsIn(workflow.definition['states']);
    const pointers = this.#states.map((_, index) => `/states/${index}`);
    this.#events = stepEvents(workflow, pointers);
  }

  draw(): Diagram {
    const start = this.#builder.node('start', []);
    for (const [index, state] of this.#states.entries()) this.#addState(state, `/states/${index}`);
    const { start: given } = this.#workflow.definition;
    const first = textOf(given) ?? (isObject(given) ? textOf(given['stateName']) : undefined);
    this.#flow(start, first ?? textOf(this.#states[0]?.['name']));
    for (const [index, state] of this.#states.entries()) this.#addWaysOut(state, index);
    return this.#builder.build(this.#workflow.name, 'down');
  }

  #addState(state: JsonObject, pointer: string): void {
    const name = textOf(state['name']) ?? pointer;
    const type = textOf(state['type']);
    const kind =
      type === 'switch'
        ? 'choice'
        : this.#events.isWaitedFor(pointer)
          ? 'waits'
          : this.#events.isSent(pointer)
            ? 'sends'
            : 'step';
    // What a switch waits for stands on its ways out.
    const events = this.#events.linesAt(pointer).filter(({ style }) => type !== 'switch' || style !== 'consumed');
    const detail: DiagramLine[] = type === undefined ? [] : [{ text: type, style: 'detail' }];
    this.#ids.set(name, this.#builder.node(kind, [{ text: shortened(name), style: 'name' }, ...detail, ...events]));
  }

  #addWaysOut(state: JsonObject, index: number): void {
    const from = this.#ids.get(textOf(state['name']) ?? `/states/${index}`);
    if (from === undefined) return;
    this.#addWay(from, state);
    for (const condition of objectsIn(state['dataConditions']))
      this.#addWay(from, condition, conditionLabel(condition));
    for (const condition of objectsIn(state['eventConditions']))
      this.#addWay(from, condition, `⇠ ${shortened(this.#typeOf(textOf(condition['eventRef'])))}`);
    if (isObject(state['defaultCondition'])) this.#addWay(from, state['defaultCondition'], 'otherwise');
    for (const error of objectsIn(state['onErrors']))
      this.#addWay(from, error, shortened(textOf(error['errorRef']) ?? 'an error'), 'failure');
    const compensation = textOf(state['compensatedBy']);
    if (compensation !== undefined) this.#flow(from, compensation, 'to undo it', 'failure');
  }

  #addWay(from: string, way: JsonObject, label?: string, kind: 'flow' | 'failure' = 'flow'): void {
    const { transition, end } = way;
    const next = textOf(transition) ?? (isObject(transition) ? textOf(transition['nextState']) : undefined);
    if (next !== undefined) this.#flow(from, next, label, kind);
    else if (end === true || isObject(end)) this.#builder.edge({ from, to: this.#theEnd(), label, kind });
  }

  #flow(from: string, name: string | undefined, label?: string, kind: 'flow' | 'failure' = 'flow'): void {
    if (name === undefined) return;
    this.#builder.edge({ from, to: this.#ids.get(name) ?? this.#addAbsent(name), label, kind });
  }

  #addAbsent(name: string): string {
    const id = this.#builder.node('absent', [
      { text: shortened(name), style: 'name' },
      { text: 'no such state', style: 'detail' },
    ]);
    this.#ids.set(name, id);
    return id;
  }

  #theEnd(): string {
    this.#end ??= this.#builder.node('end', []);
    return this.#end;
  }

  #typeOf(reference: string | undefined): string {
    const event = this.#workflow.consumes.find((consumed) => consumed.reference === reference);
    return event ? typeOf(event) : (reference ?? 'an event');
  }
}

function conditionLabel(condition: JsonObject): string {
  return shortened(textOf(condition['name']) ?? textOf(condition['condition']) ?? '');
}
