import { expect, it } from 'vitest';
import type { Diagram } from '../../../wire/graph/diagram.ts';
import { shortened } from '../../../wire/graph/diagram.ts';
import { mermaidOf } from '../../../wire/graph/mermaid.ts';
import { svgOf } from '../../../wire/graph/svg.ts';

const HOSTILE = '<script>alert("x")</script> & `a` "b" \\ #1; [x](y)\n|z|';
const diagram: Diagram = {
  title: HOSTILE,
  direction: 'right',
  groups: [{ id: 'g1', label: HOSTILE, group: undefined }],
  nodes: [
    { id: 'n1', kind: 'start', lines: [], group: undefined },
    {
      id: 'n2',
      kind: 'waits',
      lines: [
        { text: HOSTILE, style: 'name' },
        { text: 'größer ⇠', style: 'consumed' },
      ],
      group: 'g1',
    },
    { id: 'n3', kind: 'broker', lines: [{ text: 'default', style: 'name' }], group: undefined },
  ],
  edges: [
    { from: 'n1', to: 'n2', label: HOSTILE, kind: 'flow' },
    { from: 'n2', to: 'n3', label: undefined, kind: 'failure' },
  ],
};

it('writes Mermaid in which no text is syntax', () => {
  expect(mermaidOf(diagram).split('\n')).toEqual([
    '---',
    `title: ${JSON.stringify(HOSTILE)}`,
    '---',
    'flowchart LR',
    '  n1((" "))',
    '  n3[["<b>default</b>"]]:::broker',
    expect.stringMatching(/^ {2}subgraph g1\["[^"<>`[\]|\\]+"\]$/),
    expect.stringMatching(/^ {4}n2\(\["<b>[^"<>`[\]|\\]+<\/b><br\/>größer ⇠"\]\):::waits$/),
    '  end',
    expect.stringMatching(/^ {2}n1 -->\|"[^"<>`[\]|\\]+"\| n2$/),
    '  n2 -.-> n3',
    expect.stringMatching(/^ {2}classDef waits fill:/),
    expect.stringMatching(/^ {2}classDef broker fill:/),
    '',
  ]);
});

it('draws SVG in which no text is markup', async () => {
  const svg = await svgOf(diagram);
  expect(svg).toMatch(/^<\?xml/);
  expect(svg).not.toMatch(/<script/i);
  expect(svg).toContain('größer ⇠');
  expect(svg).toContain('&lt;script&gt;');
  expect([...svg.matchAll(/<g id="edge\d+"/g)]).toHaveLength(2);
  expect([...svg.matchAll(/<g id="node\d+"/g)]).toHaveLength(3);
  expect(svg).toBe(await svgOf(diagram));
});

it('writes boxes without a title as Mermaid takes them', () => {
  const groups = [{ id: 'g1', label: '', group: undefined }];
  expect(mermaidOf({ ...diagram, groups })).toContain('subgraph g1[" "]');
});

it('cuts long texts', () => {
  expect([shortened('  a\n b '), shortened('x'.repeat(60)), shortened('x'.repeat(61))]).toEqual([
    'a b',
    'x'.repeat(60),
    `${'x'.repeat(59)}…`,
  ]);
});
