import type { Diagram, DiagramNode } from '../../wire/graph/diagram.ts';
import type { ConsumedEvent, EmittedEvent, Workflow } from '../../wire/model.ts';

const place = { file: 'flow.yaml', line: 1, column: 1 };
const step = { step: 's', via: 'event', place } as const;

export function aConsumed(path: string, type: string, more: Partial<ConsumedEvent> = {}): ConsumedEvent {
  return {
    ...step,
    path,
    role: 'start',
    group: { mode: 'one', path },
    reference: undefined,
    attributes: [{ name: 'type', test: 'exact', value: type, place }],
    payload: [],
    correlations: [],
    ...more,
  };
}

export function anEmitted(path: string, type: string): EmittedEvent {
  return { ...step, path, reference: undefined, type, source: undefined, attributes: {} };
}

export function aWorkflow(
  language: Workflow['language'],
  definition: Workflow['definition'],
  events: Partial<Pick<Workflow, 'consumes' | 'emits'>> = {},
): Workflow {
  const name = 'flow';
  return {
    name,
    namespace: undefined,
    version: undefined,
    language,
    place,
    consumes: [],
    emits: [],
    definition,
    ...events,
  };
}

const titleOf = ({ kind, lines }: DiagramNode) => lines[0]?.text ?? kind;

/** `a -> b: label`, `a ~> b` where something failed, `a .> b` where it answers; sorted. */
export function edgesOf({ nodes, edges }: Diagram): string[] {
  const titles = new Map(nodes.map((node) => [node.id, titleOf(node)]));
  const arrows = { flow: '->', failure: '~>', answer: '.>' };
  return edges
    .map(({ from, to, label, kind }) =>
      [`${titles.get(from)} ${arrows[kind]} ${titles.get(to)}`, label].filter(Boolean).join(': '),
    )
    .toSorted();
}

/** `name (kind): other lines` */
export function nodesOf({ nodes }: Diagram): string[] {
  return nodes.map((node) => {
    const rest = node.lines.slice(1).map(({ text }) => text);
    return `${titleOf(node)} (${node.kind})${rest.length > 0 ? `: ${rest.join(', ')}` : ''}`;
  });
}
