/** A picture as data: what both notations draw. Plain; the order of everything is the order it is drawn in. */
export interface Diagram {
  readonly title: string;
  /** Where edges lead, mostly. */
  readonly direction: 'right' | 'down';
  readonly nodes: readonly DiagramNode[];
  readonly groups: readonly DiagramGroup[];
  readonly edges: readonly DiagramEdge[];
}

export interface DiagramNode {
  /** Letters and digits; of this diagram alone. */
  readonly id: string;
  readonly kind: NodeKind;
  /** The first is its name; none for `start` and `end`. */
  readonly lines: readonly DiagramLine[];
  /** Of the group it is drawn in. */
  readonly group: string | undefined;
}

/**
 * start, end: where a workflow begins and ends; step, choice: what it does; waits: it waits for an event; sends: it sends
 * one; source … sink: objects of a cluster; absent: something names it, but it is not among the objects.
 */
export type NodeKind =
  | 'start'
  | 'end'
  | 'step'
  | 'choice'
  | 'waits'
  | 'sends'
  | 'source'
  | 'broker'
  | 'trigger'
  | 'sink'
  | 'workflow'
  | 'absent';

export interface DiagramLine {
  readonly text: string;
  /** consumed, emitted: the type of an event; detail: what kind of thing it is. */
  readonly style: 'name' | 'detail' | 'consumed' | 'emitted';
}

/** Drawn as a box around its nodes. */
export interface DiagramGroup {
  readonly id: string;
  readonly label: string;
  /** undefined: it is in none. */
  readonly group: string | undefined;
}

export interface DiagramEdge {
  readonly from: string;
  readonly to: string;
  readonly label: string | undefined;
  /** failure: taken when something went wrong, dead letters among it; answer: a reply of a subscriber. */
  readonly kind: 'flow' | 'failure' | 'answer';
}

/** Longer texts are cut: a picture is no listing. */
const LONGEST = 60;

/** On one line, and short. */
export function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1)}…`;
}

/** Collects the parts of a diagram and gives them ids: n1, n2, … and g1, g2, … */
export class DiagramBuilder {
  readonly #nodes: DiagramNode[] = [];
  readonly #groups: DiagramGroup[] = [];
  readonly #edges: DiagramEdge[] = [];

  node(kind: NodeKind, lines: readonly DiagramLine[], group?: string): string {
    const id = `n${this.#nodes.length + 1}`;
    this.#nodes.push({ id, kind, lines, group });
    return id;
  }

  group(label: string, group?: string): string {
    const id = `g${this.#groups.length + 1}`;
    this.#groups.push({ id, label, group });
    return id;
  }

  /** Twice the same edge is one. */
  edge(edge: DiagramEdge): void {
    const same = (other: DiagramEdge) =>
      other.from === edge.from && other.to === edge.to && other.label === edge.label && other.kind === edge.kind;
    if (!this.#edges.some(same)) this.#edges.push(edge);
  }

  build(title: string, direction: Diagram['direction']): Diagram {
    return { title, direction, nodes: this.#nodes, groups: this.#groups, edges: this.#edges };
  }
}
