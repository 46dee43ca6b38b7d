import { describe, expect, it } from 'vitest';
import { explain } from '../../../wire/explain/explain.ts';
import type { AttributeFilter, ConsumedEvent, CorrelationRule, KubeManifest, WireSet } from '../../../wire/model.ts';
import { aConsumed, aWorkflow } from '../../support/diagram-text.ts';

const place = { file: 'wire.yaml', line: 1, column: 1 };
const event = {
  attributes: { type: 'review', source: '/acme/shop', action: 'submitted', githubnumber: '7' },
  data: { action: 'submitted', pull_request: { number: 7, draft: false } },
};
const trigger = (name: string, attributes: object, subscriber = 'checker'): KubeManifest => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name, namespace: 'shop' },
  spec: {
    broker: 'events',
    filter: { attributes },
    subscriber: { ref: { apiVersion: 'v1', kind: 'Service', name: subscriber } },
  },
});
const test = (name: string, value: string): AttributeFilter => ({ name, test: 'exact', value, place });
const rule = (
  from: CorrelationRule['from'],
  expected: CorrelationRule['expect'] = { kind: 'first' },
): CorrelationRule => ({ name: 'c', from, expect: expected, place });

function aSet(consumes: Partial<ConsumedEvent>, external: WireSet['external'] = []): WireSet {
  const workflow = aWorkflow(
    '1.0',
    {},
    { consumes: [aConsumed('/do/0', 'review', { role: 'resume', step: 'wait', ...consumes })] },
  );
  const runtime = { kind: 'deployment', service: 'checker', deployment: 'checker', path: '/' } as const;
  return {
    name: 'shop',
    namespace: 'shop',
    place,
    config: { name: 'shop' },
    broker: { name: 'events', namespace: 'shop', create: false, class: 'x', url: undefined, place },
    sources: [],
    external,
    workflows: [{ ...workflow, runtime, config: undefined, runsAt: place }],
  };
}
const stepOf = (set: WireSet, objects: readonly KubeManifest[] = []) =>
  explain(event, objects, { sets: [set] }).steps[0];

it('says of each Trigger whether it matches, who gets the event, and what fails', () => {
  const { triggers } = explain(
    event,
    [trigger('yes', { type: 'review' }), trigger('no', { type: 'review', action: 'edited' })],
    { sets: [] },
  );
  const common = { namespace: 'shop', broker: 'events', subscriber: 'Service checker' };
  expect(triggers).toEqual([
    { ...common, name: 'yes', mismatches: [] },
    {
      ...common,
      name: 'no',
      mismatches: [{ name: 'action', wanted: 'edited', found: 'submitted', isAlternative: false }],
    },
  ]);
});

const reached: { name: string; objects: KubeManifest[]; external?: WireSet['external']; isReached: boolean }[] = [
  { name: 'by a Trigger that matches', objects: [trigger('t', { type: 'review' })], isReached: true },
  { name: 'not by one that does not', objects: [trigger('t', { type: 'push' })], isReached: false },
  { name: 'not by one for somebody else', objects: [trigger('t', { type: 'review' }, 'other')], isReached: false },
  { name: 'by its producer itself', objects: [], external: [{ type: 'review', direct: true, place }], isReached: true },
  {
    name: 'not by a producer of something else',
    objects: [],
    external: [{ type: 'push', direct: true, place }],
    isReached: false,
  },
];
describe('a workflow is reached', () => {
  for (const { name, objects, external, isReached } of reached)
    it(name, () =>
      expect(stepOf(aSet({}, external), objects)).toMatchObject({ workflow: 'flow', step: 'wait', isReached }),
    );
});

const payload = (member: string[], values: (string | number | boolean)[], isWhole = true) => [
  { expression: '.x', constants: [{ member, values }], isWhole, place },
];
const taken: {
  name: string;
  consumes: Partial<ConsumedEvent>;
  unmet?: string[];
  undecided?: string[];
  instances?: string[];
}[] = [
  { name: 'by its type', consumes: {} },
  {
    name: 'not by another attribute',
    consumes: { attributes: [test('type', 'review'), test('action', 'edited')] },
    unmet: ['action: edited / submitted'],
  },
  { name: 'not by one that is absent', consumes: { attributes: [test('label', 'x')] }, unmet: ['label: x / -'] },
  {
    name: 'by a beginning and an end',
    consumes: {
      attributes: [
        { name: 'source', test: 'prefix', value: '/acme', place },
        { name: 'source', test: 'suffix', value: 'shop', place },
      ],
    },
  },
  {
    name: 'not by others',
    consumes: {
      attributes: [
        { name: 'source', test: 'prefix', value: 'acme', place },
        { name: 'source', test: 'suffix', value: 'web', place },
      ],
    },
    unmet: ['source: acme… / /acme/shop', 'source: …web / /acme/shop'],
  },
  {
    name: 'as the runtime says',
    consumes: { attributes: [{ name: 'type', test: 'runtime', expression: '${ .x }', place }] },
    undecided: ['type: ${ .x }'],
  },
  { name: 'by members of the data', consumes: { payload: payload(['pull_request', 'draft'], [false]) } },
  {
    name: 'not by others, whatever their text',
    consumes: { payload: payload(['pull_request', 'number'], ['7', 8]) },
    unmet: ['.pull_request.number: 7 or 8 / 7'],
  },
  {
    name: 'not by those that are absent, and as the runtime says',
    consumes: { payload: payload(['a', 'b'], ['x'], false) },
    unmet: ['.a.b: x / -'],
    undecided: ['.x'],
  },
  {
    name: 'by the instance of an attribute',
    consumes: { correlations: [rule({ kind: 'attribute', name: 'githubnumber' })] },
    instances: ['githubnumber = 7'],
  },
  {
    name: 'by the instance of a member',
    consumes: { correlations: [rule({ kind: 'member', member: ['pull_request', 'number'] })] },
    instances: ['.pull_request.number = 7'],
  },
  {
    name: 'by no instance, where it carries nothing to find it by',
    consumes: { correlations: [rule({ kind: 'attribute', name: 'nobody' })] },
    instances: ['nobody = -'],
  },
  {
    name: 'not with another constant',
    consumes: { correlations: [rule({ kind: 'attribute', name: 'action' }, { kind: 'constant', value: 'edited' })] },
    unmet: ['action: edited / submitted'],
  },
  {
    name: 'by instances that an expression finds',
    consumes: {
      correlations: [
        rule({ kind: 'attribute', name: 'githubnumber' }, { kind: 'expression', expression: '${ .n }' }),
        rule({ kind: 'expression', expression: '${ .a + 1 }' }),
      ],
    },
    undecided: ['correlation c: ${ .n }', 'correlation c: ${ .a + 1 }'],
    instances: ['githubnumber = 7'],
  },
  {
    name: 'by no instance, where it starts one',
    consumes: { role: 'start', correlations: [rule({ kind: 'attribute', name: 'githubnumber' })] },
  },
];
describe('an event is taken', () => {
  for (const { name, consumes, unmet = [], undecided = [], instances = [] } of taken)
    it(name, () => {
      const taking = stepOf(aSet(consumes))?.taking;
      expect(taking?.mismatches.map((one) => `${one.name}: ${one.wanted} / ${one.found ?? '-'}`)).toEqual(unmet);
      expect(taking?.undecided).toEqual(undecided);
      expect(taking?.instances.map(({ by, value }) => `${by} = ${value ?? '-'}`)).toEqual(instances);
    });
});
