import type { Diagram, DiagramEdge, DiagramLine, DiagramNode, NodeKind } from './diagram.ts';

/** Attributes of Graphviz. */
type Attributes = Readonly<Record<string, string>>;

const INK = '#0f172a';
const FAINT = '#64748b';

const LOOKS: Readonly<Record<NodeKind, Attributes>> = {
  start: { shape: 'circle', width: '0.22', style: 'filled', fillcolor: INK },
  end: { shape: 'doublecircle', width: '0.16', style: 'filled', fillcolor: INK },
  step: { shape: 'box', style: 'rounded,filled', fillcolor: '#ffffff' },
  choice: { shape: 'hexagon', style: 'filled', fillcolor: '#ffffff' },
  waits: { shape: 'box', style: 'rounded,filled', fillcolor: '#dbeafe', color: '#2563eb' },
  sends: { shape: 'box', style: 'rounded,filled', fillcolor: '#dcfce7', color: '#16a34a' },
  source: { shape: 'box', style: 'filled', fillcolor: '#e2e8f0', color: '#475569' },
  broker: { shape: 'box', style: 'filled', fillcolor: '#fef9c3', color: '#ca8a04' },
  trigger: { shape: 'box', style: 'filled', fillcolor: '#f5f3ff', color: '#7c3aed' },
  sink: { shape: 'box', style: 'filled', fillcolor: '#ffffff' },
  workflow: { shape: 'component', style: 'filled', fillcolor: '#ffffff' },
  absent: { shape: 'box', style: 'dashed,filled', fillcolor: '#fee2e2', color: '#dc2626' },
};

const COLOURS: Readonly<Record<DiagramLine['style'], string>> = {
  name: INK,
  detail: FAINT,
  consumed: '#1d4ed8',
  emitted: '#15803d',
};

const ARROWS: Readonly<Record<DiagramEdge['kind'], Attributes>> = {
  flow: {},
  failure: { style: 'dashed', color: '#dc2626', fontcolor: '#b91c1c' },
  answer: { style: 'dotted' },
};

/** One whose widths Graphviz knows without the font; browsers have it, or one of the same widths. */
const FONT = 'Arial';

/** The diagram in Graphviz's own language. */
export function dotOf({ title, direction, nodes, groups, edges }: Diagram): string {
  const drawn: string[] = [];
  const draw = (group: string | undefined) => {
    for (const node of nodes.filter((one) => one.group === group)) drawn.push(nodeText(node));
    for (const inner of groups.filter((one) => one.group === group)) {
      drawn.push(`subgraph cluster_${inner.id} { ${list({ label: inner.label, color: '#cbd5e1', style: 'rounded' })}`);
      draw(inner.id);
      drawn.push('}');
    }
  };
  draw(undefined);
  return [
    `digraph ${quoted(title)} {`,
    `rankdir=${direction === 'right' ? 'LR' : 'TB'}; nodesep=0.3; ranksep=0.45; pad=0.25; bgcolor="#ffffff";`,
    `fontname=${quoted(FONT)}; fontsize=11; fontcolor="${FAINT}";`,
    `node [${list({ fontname: FONT, fontsize: '11', color: INK, fontcolor: INK, margin: '0.2,0.1' }, ', ')}];`,
    `edge [${list({ fontname: FONT, fontsize: '10', color: '#334155', fontcolor: '#334155', arrowsize: '0.7' }, ', ')}];`,
    ...drawn,
    ...edges.map(edgeText),
    '}',
    '',
  ].join('\n');
}

function nodeText({ id, kind, lines }: DiagramNode): string {
  const label = lines.length === 0 ? '""' : `<${lines.map(lineText).join('<br/>')}>`;
  const fixed = lines.length === 0 ? ', fixedsize=true' : '';
  return `${id} [label=${label}, ${list(LOOKS[kind], ', ')}${fixed}];`;
}

function lineText({ text, style }: DiagramLine): string {
  const escaped = text.replace(/[&<>"]/g, (sign) => `&#${sign.codePointAt(0)};`);
  const shown = style === 'name' ? `<b>${escaped}</b>` : escaped;
  return `<font color="${COLOURS[style]}" point-size="${style === 'name' ? 11 : 10}">${shown}</font>`;
}

function edgeText({ from, to, label, kind }: DiagramEdge): string {
  const attributes = { ...ARROWS[kind], ...(label && { label: ` ${label} ` }) };
  return `${from} -> ${to} [${list(attributes, ', ')}];`;
}

function list(attributes: Attributes, separator = '; '): string {
  const pairs = Object.entries(attributes).map(([name, value]) => `${name}=${quoted(value)}`);
  return pairs.join(separator) + (separator === '; ' ? ';' : '');
}

/** A string of DOT: backslashes stand for themselves. */
function quoted(text: string): string {
  return `"${text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replace(/[\n\r]/g, ' ')}"`;
}
