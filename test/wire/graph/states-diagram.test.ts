import { expect, it } from 'vitest';
import { workflowDiagram } from '../../../wire/graph/workflow-diagram.ts';
import { aConsumed, anEmitted, aWorkflow, edgesOf, nodesOf } from '../../support/diagram-text.ts';

const states = [
  { name: 'Wait', type: 'event', onEvents: [], transition: { nextState: 'Decide' } },
  {
    name: 'Decide',
    type: 'switch',
    dataConditions: [
      { name: 'big one', condition: '.size > 9', transition: 'Ask' },
      { condition: '.size < 2', end: true },
    ],
    defaultCondition: { transition: 'Tell' },
  },
  { name: 'Ask', type: 'callback', transition: 'Either', onErrors: [{ errorRef: 'down', end: { terminate: true } }] },
  {
    name: 'Either',
    type: 'switch',
    eventConditions: [{ eventRef: 'yes', transition: 'Tell' }],
    defaultCondition: { end: false, transition: 'Nowhere' },
  },
  { name: 'Tell', type: 'operation', end: { produceEvents: [{ eventRef: 'told' }] }, compensatedBy: 'Undo' },
  { name: 'Undo', type: 'operation', usedForCompensation: true },
];
const flow = aWorkflow(
  '0.8',
  { start: 'Wait', states },
  {
    consumes: [
      aConsumed('/states/0/onEvents/0/eventRefs/0', 'a.b'),
      aConsumed('/states/2/eventRef', 'answered'),
      aConsumed('/states/3/eventConditions/0/eventRef', 'said.yes', { reference: 'yes' }),
    ],
    emits: [
      anEmitted('/states/4/end/produceEvents/0', 'told.it'),
      anEmitted('/states/4/end/produceEvents/0', 'told.it'),
    ],
  },
);

it('shows states of 0.8 with their types and events', () => {
  expect(nodesOf(workflowDiagram(flow))).toEqual([
    'start (start)',
    'Wait (waits): event, ⇠ a.b',
    'Decide (choice): switch',
    'Ask (waits): callback, ⇠ answered',
    'Either (choice): switch',
    'Tell (sends): operation, ⇢ told.it',
    'Undo (step): operation',
    'end (end)',
    'Nowhere (absent): no such state',
  ]);
});

it('leads from state to state, by conditions, events, errors and compensation', () => {
  expect(edgesOf(workflowDiagram(flow))).toEqual([
    'Ask -> Either',
    'Ask ~> end: down',
    'Decide -> Ask: big one',
    'Decide -> Tell: otherwise',
    'Decide -> end: .size < 2',
    'Either -> Nowhere: otherwise',
    'Either -> Tell: ⇠ said.yes',
    'Tell -> end',
    'Tell ~> Undo: to undo it',
    'Wait -> Decide',
    'start -> Wait',
  ]);
});

const starts: { name: string; definition: Record<string, unknown>; first: string }[] = [
  { name: 'at the named state', definition: { start: 'B' }, first: 'start -> B' },
  { name: 'at a state that is scheduled', definition: { start: { stateName: 'B' } }, first: 'start -> B' },
  { name: 'at the first, where none is named', definition: {}, first: 'start -> A' },
];
for (const { name, definition, first } of starts) {
  it(`starts ${name}`, () => {
    const two = [
      { name: 'A', type: 'inject', end: true },
      { name: 'B', type: 'inject', end: true },
    ];
    expect(edgesOf(workflowDiagram(aWorkflow('0.8', { ...definition, states: two })))).toContain(first);
  });
}

it('draws what it can of a definition that is none', () => {
  const broken = aWorkflow('0.8', { start: 7, states: [null, 'x', { type: 'switch', dataConditions: 'no' }, {}] });
  expect(nodesOf(workflowDiagram(broken))).toEqual(['start (start)', '/states/0 (choice): switch', '/states/1 (step)']);
});
