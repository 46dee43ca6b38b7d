import type { Diagram, DiagramEdge, DiagramLine, DiagramNode, NodeKind } from './diagram.ts';

/** How Mermaid writes the outline of a node: what stands before and behind its text. */
const OUTLINES: Readonly<Record<NodeKind, readonly [string, string]>> = {
  start: ['((', '))'],
  end: ['(((', ')))'],
  step: ['(', ')'],
  choice: ['{{', '}}'],
  waits: ['([', '])'],
  sends: ['([', '])'],
  source: ['>', ']'],
  broker: ['[[', ']]'],
  trigger: ['[/', '\\]'],
  sink: ['[', ']'],
  workflow: ['[[', ']]'],
  absent: ['[', ']'],
};

const ARROWS: Readonly<Record<DiagramEdge['kind'], string>> = { flow: '-->', failure: '-.->', answer: '-.->' };

/** Fill and outline; legible on a light page and on a dark one, since the text is dark in each. */
const COLOURS: Readonly<Partial<Record<NodeKind, string>>> = {
  waits: 'fill:#dbeafe,stroke:#2563eb,color:#0f172a',
  sends: 'fill:#dcfce7,stroke:#16a34a,color:#0f172a',
  source: 'fill:#f1f5f9,stroke:#475569,color:#0f172a',
  broker: 'fill:#fef9c3,stroke:#ca8a04,color:#0f172a',
  trigger: 'fill:#f5f3ff,stroke:#7c3aed,color:#0f172a',
  workflow: 'fill:#ffffff,stroke:#0f172a,color:#0f172a',
  absent: 'fill:#fee2e2,stroke:#dc2626,color:#0f172a',
};

/** The text of a Mermaid flowchart, as pages in Markdown draw it. */
export function mermaidOf({ title, direction, nodes, groups, edges }: Diagram): string {
  const drawn: string[] = [];
  const draw = (group: string | undefined, indent: string) => {
    for (const node of nodes.filter((one) => one.group === group)) drawn.push(indent + nodeText(node));
    for (const inner of groups.filter((one) => one.group === group)) {
      drawn.push(`${indent}subgraph ${inner.id}["${escaped(inner.label) || ' '}"]`);
      draw(inner.id, `${indent}  `);
      drawn.push(`${indent}end`);
    }
  };
  draw(undefined, '  ');
  const kinds = new Set(nodes.map(({ kind }) => kind));
  const classes = Object.entries(COLOURS).filter(([kind]) => kinds.has(kind as NodeKind));
  return [
    '---',
    `title: ${JSON.stringify(title)}`,
    '---',
    `flowchart ${direction === 'right' ? 'LR' : 'TB'}`,
    ...drawn,
    ...edges.map(edgeText),
    ...classes.map(([kind, style]) => `  classDef ${kind} ${style}`),
    '',
  ].join('\n');
}

function nodeText({ id, kind, lines }: DiagramNode): string {
  const [before, behind] = OUTLINES[kind];
  const text = lines.length === 0 ? ' ' : lines.map(lineText).join('<br/>');
  return `${id}${before}"${text}"${behind}${COLOURS[kind] === undefined ? '' : `:::${kind}`}`;
}

function lineText({ text, style }: DiagramLine): string {
  if (style === 'name') return `<b>${escaped(text)}</b>`;
  return style === 'detail' ? `<i>${escaped(text)}</i>` : escaped(text);
}

function edgeText({ from, to, label, kind }: DiagramEdge): string {
  return `  ${from} ${ARROWS[kind]}${label ? `|"${escaped(label)}"|` : ''} ${to}`;
}

/** Mermaid's entity codes; what is Markdown or HTML to it is none then. */
function escaped(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/["&<>#`*_[\](){}|\\]/g, (sign) => `#${sign.codePointAt(0)};`);
}
