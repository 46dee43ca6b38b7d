import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { workflowDiagram } from '../../../wire/graph/workflow-diagram.ts';
import { aConsumed, anEmitted, aWorkflow, edgesOf, nodesOf } from '../../support/diagram-text.ts';

/** `tasks`: YAML. */
const diagramOf = (tasks: string) => workflowDiagram(aWorkflow('1.0', { do: parse(tasks) as unknown }));
const cases: { name: string; tasks: string; edges: string[] }[] = [
  {
    name: 'one after the other',
    tasks: `[{ a: { set: {} } }, { b: { wait: 'PT1S' } }]`,
    edges: ['a -> b', 'b -> end', 'start -> a'],
  },
  {
    name: 'past a task whose condition does not hold',
    tasks: `[{ a: { if: '.x', call: 'http' } }, { b: { set: {} } }]`,
    edges: ['a -> b', 'b -> end', 'start -> a: .x', 'start -> b: else'],
  },
  {
    name: 'where a directive says',
    tasks: `[{ a: { set: {}, then: 'c' } }, { b: { set: {}, then: 'end' } }, { c: { set: {}, then: 'b' } }]`,
    edges: ['a -> c', 'b -> end', 'c -> b', 'start -> a'],
  },
  {
    name: 'to a task that is not there',
    tasks: `[{ a: { set: {}, then: 'x' } }]`,
    edges: ['a -> x', 'start -> a'],
  },
  {
    name: 'by the cases of a switch, and on where none is meant',
    tasks: `[ { a: { switch: [{ big: { when: '.n > 1', then: 'c' } }, { odd: { when: '.n == 1' } }] } }, { b: { set: {} } }, { c: { set: {} } } ]`,
    edges: ['a -> b: .n == 1', 'a -> b: otherwise', 'a -> c: .n > 1', 'b -> c', 'c -> end', 'start -> a'],
  },
  {
    name: 'nowhere else than the cases, where one is the default',
    tasks: `[{ a: { switch: [{ other: { then: 'end' } }] } }, { b: { set: {} } }]`,
    edges: ['a -> end: other', 'b -> end', 'start -> a'],
  },
  {
    name: 'through nested lists, out of which exit leads',
    tasks: `[{ a: { do: [{ x: { set: {}, then: 'exit' } }, { y: { set: {} } }] } }, { b: { set: {} } }]`,
    edges: ['a -> x', 'b -> end', 'start -> a', 'x -> b', 'y -> b'],
  },
  {
    name: 'through a loop and out of it',
    tasks: `[{ a: { for: { each: 'f', in: '.files' }, do: [{ x: { set: {} } }] } }]`,
    edges: ['a -> end: done', 'a -> x', 'start -> a', 'x -> a: next'],
  },
  {
    name: 'into all branches of a fork, and on after each',
    tasks: `[{ a: { fork: { branches: [{ x: { set: {} } }, { y: { do: [{ z: { set: {} } }] } }] } } }]`,
    edges: ['a -> x', 'a -> y', 'start -> a', 'x -> end', 'y -> z', 'z -> end'],
  },
  {
    name: 'after an error to what catches it; what raises one goes nowhere',
    tasks: `[{ a: { try: [{ x: { raise: {} } }], catch: { do: [{ y: { set: {} } }] } } }]`,
    edges: ['a -> x', 'a ~> y: on an error', 'start -> a', 'y -> end'],
  },
  {
    name: 'past the inside of a try that catches without tasks',
    tasks: `[{ a: { try: [{ x: { set: {} } }], catch: {} } }]`,
    edges: ['a -> x', 'start -> a', 'x -> end'],
  },
  { name: 'to the end of nothing', tasks: `[]`, edges: ['start -> end'] },
];

describe('leads', () => {
  for (const { name, tasks, edges } of cases) it(name, () => expect(edgesOf(diagramOf(tasks))).toEqual(edges));
});

it('shows tasks with what they do, and their events', () => {
  const tasks = [
    { get: { call: 'http' } },
    { wait: { wait: { minutes: 5, seconds: 1 } } },
    { run: { run: { await: true, shell: {} } } },
    { loop: { for: { each: 'f', in: '.files' }, do: [{ hear: { listen: { to: { any: [] } } } }] } },
    { race: { fork: { compete: true, branches: [] } } },
    { 'a/b~c': { emit: {} } },
    { odd: {} },
  ];
  const workflow = aWorkflow(
    '1.0',
    { schedule: { on: {} }, do: tasks },
    {
      consumes: [
        aConsumed('/schedule/on/all/0', 'x', { group: { mode: 'all', path: '/schedule/on' } }),
        aConsumed('/schedule/on/all/1', 'y', { group: { mode: 'all', path: '/schedule/on' } }),
        aConsumed('/do/3/loop/do/0/hear/listen/to', '', { attributes: [] }),
        aConsumed('/do/3/loop/do/0/hear/listen/to/until', 'z', { group: { mode: 'until', path: '/do' } }),
      ],
      emits: [anEmitted('/do/5/a~1b~0c/emit', 'sent')],
    },
  );
  expect(nodesOf(workflowDiagram(workflow))).toEqual([
    'start (waits): ⇠ and x, ⇠ and y',
    'get (step): call http',
    'wait (step): wait 5 minutes 1 seconds',
    'run (step): run shell',
    'loop (step): for each f in .files',
    'hear (waits): listen, ⇠ every event, ⇠ until z',
    'race (step): fork, the first one wins',
    'a/b~c (sends): emit, ⇢ sent',
    'odd (step)',
    'end (end)',
  ]);
});

it('draws nested tasks in the box of their task', () => {
  const { nodes, groups } = diagramOf('[{ a: { do: [{ b: { do: [{ c: { set: {} } }] } }] } }, { d: { set: {} } }]');
  expect(groups.map(({ id, group }) => [id, group])).toEqual([
    ['g1', undefined],
    ['g2', 'g1'],
  ]);
  expect(nodes.map(({ lines, group }) => [lines[0]?.text, group])).toEqual([
    [undefined, undefined],
    ['a', 'g1'],
    ['b', 'g2'],
    ['c', 'g2'],
    ['d', undefined],
    [undefined, undefined],
  ]);
});
