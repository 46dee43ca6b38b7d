import { describe, expect, it } from 'vitest';
import { topologyDiagram } from '../../../wire/graph/topology-diagram.ts';
import type { KubeManifest, Runtime, WireSet } from '../../../wire/model.ts';
import { aConsumed, anEmitted, aWorkflow, edgesOf, nodesOf } from '../../support/diagram-text.ts';

const object = (apiVersion: string, kind: string, name: string, spec: object, namespace?: string): KubeManifest => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }) },
  spec,
});
const BROKER = 'eventing.knative.dev/v1';
const service = (name: string) => ({ ref: { apiVersion: 'v1', kind: 'Service', name } });
const source = object('sources.knative.dev/v1alpha1', 'GitHubSource', 'hub', {
  eventTypes: ['push', 'issues'],
  sink: { ref: { apiVersion: BROKER, kind: 'Broker', name: 'default' } },
  delivery: { deadLetterSink: { uri: 'http://lost.example.com/' } },
});
const trigger = (spec: object) =>
  object(BROKER, 'Trigger', 'some', { broker: 'default', subscriber: service('app'), ...spec });
const drawn = (objects: readonly KubeManifest[], sets: readonly WireSet[] = []) => topologyDiagram('t', objects, sets);

it('leads from sources over brokers and triggers to sinks, and dead letters elsewhere', () => {
  const diagram = drawn([
    trigger({ delivery: { deadLetterSink: service('dlq') } }),
    object(BROKER, 'Broker', 'default', { delivery: { deadLetterSink: service('dlq') } }),
    source,
  ]);
  expect(edgesOf(diagram)).toEqual([
    'default -> some',
    'default ~> dlq: dead letters',
    'hub -> default',
    'hub ~> http://lost.example.com/: dead letters',
    'some -> app',
    'some ~> dlq: dead letters',
  ]);
  expect(nodesOf(diagram)).toEqual([
    'hub (source): GitHubSource, ⇢ push, ⇢ issues',
    'default (broker): Broker',
    'http://lost.example.com/ (sink)',
    'some (trigger): Trigger',
    'app (sink): Service',
    'dlq (sink): Service',
  ]);
});

it('leads from channels over subscriptions, whose replies go on', () => {
  const channel = { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'ch' };
  const subscription = object('messaging.knative.dev/v1', 'Subscription', 'sub', {
    channel,
    subscriber: service('app'),
    reply: { ref: { apiVersion: BROKER, kind: 'Broker', name: 'default' } },
  });
  expect(edgesOf(drawn([subscription]))).toEqual(['ch -> sub', 'sub -> app', 'sub .> default: replies']);
});

const filters: { name: string; spec: object; lines: string[] }[] = [
  {
    name: 'attributes',
    spec: { filter: { attributes: { type: 'a', action: 'opened' } } },
    lines: ['type = a', 'action = opened'],
  },
  {
    name: 'filters rather than filter',
    spec: { filter: { attributes: { type: 'a' } }, filters: [{ exact: { type: 'b' } }] },
    lines: ['type = b'],
  },
  {
    name: 'prefix and suffix',
    spec: { filters: [{ prefix: { type: 'a.' } }, { suffix: { source: '/x' } }] },
    lines: ['type = a.…', 'source = …/x'],
  },
  {
    name: 'all, any and not',
    spec: {
      filters: [
        { all: [{ exact: { a: '1' } }, { exact: { b: '2' } }] },
        { any: [{ exact: { c: '3' } }, { exact: { c: '4', d: '5' } }] },
        { not: { exact: { e: '6' } } },
      ],
    },
    lines: ['a = 1', 'b = 2', 'c = 3 or c = 4 and d = 5', 'not (e = 6)'],
  },
  { name: 'cesql', spec: { filters: [{ cesql: "type LIKE 'a%'" }] }, lines: ["type LIKE 'a%'"] },
];
describe('says what a trigger asks for:', () => {
  for (const { name, spec, lines } of filters)
    it(name, () => {
      const texts = drawn([trigger(spec)])
        .nodes.find(({ kind }) => kind === 'trigger')
        ?.lines.map(({ text }) => text);
      expect(texts).toEqual(['some', 'Trigger', ...lines]);
    });
});

it('leads back from what is told where to send its events', () => {
  const knativeService = object('serving.knative.dev/v1', 'Service', 'fn', {
    template: {
      spec: {
        containers: [
          {
            env: [
              { name: 'K_SINK', value: 'http://broker-ingress.knative-eventing.svc.cluster.local/default/default' },
            ],
          },
        ],
      },
    },
  });
  const binding = object('sources.knative.dev/v1', 'SinkBinding', 'bind', {
    subject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'app' },
    sink: { ref: { apiVersion: BROKER, kind: 'Broker', name: 'default' } },
  });
  expect(edgesOf(drawn([knativeService, binding]))).toEqual(['app -> default', 'fn -> default']);
});

it('takes a Deployment and the Service before it for one', () => {
  const deployment = object('apps/v1', 'Deployment', 'backend', {
    template: { metadata: { labels: { app: 'x', more: 'y' } } },
  });
  const before = object('v1', 'Service', 'app', { selector: { app: 'x' } });
  const binding = object('sources.knative.dev/v1', 'SinkBinding', 'bind', {
    subject: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'backend' },
    sink: { uri: 'http://out.example.com/' },
  });
  expect(edgesOf(drawn([trigger({}), deployment, before, binding]))).toEqual([
    'app -> http://out.example.com/',
    'default -> some',
    'some -> app',
  ]);
});

const place = { file: 'wire.yaml', line: 1, column: 1 };
function aSet(runtime: Runtime, external: WireSet['external'] = []): WireSet {
  const events = { consumes: [aConsumed('/schedule/on/one', 'asked')], emits: [anEmitted('/do/0/x/emit', 'told')] };
  const workflow = { ...aWorkflow('1.0', {}, events), runtime, config: undefined, runsAt: place };
  const broker = { name: 'default', namespace: 'default', create: false, class: 'x', url: undefined, place };
  const config = { name: 'set' };
  return { name: 'set', namespace: 'default', place, config, broker, sources: [], external, workflows: [workflow] };
}

describe('draws a workflow in place of what runs it:', () => {
  const runtimes: { runtime: Runtime; detail: string }[] = [
    { runtime: { kind: 'sonataflow', service: 'app', path: '/' }, detail: 'workflow in app' },
    { runtime: { kind: 'deployment', service: 'app', deployment: 'behind', path: '/' }, detail: 'workflow in app' },
  ];
  for (const { runtime, detail } of runtimes)
    it(runtime.kind, () => {
      const diagram = drawn([trigger({})], [aSet(runtime)]);
      expect(nodesOf(diagram)).toContain(`flow (workflow): ${detail}, ⇢ told`);
      expect(edgesOf(diagram)).toEqual(['default -> some', 'flow -> default', 'some -> flow']);
    });

  it('several in one Service, as one', () => {
    const set = aSet({ kind: 'deployment', service: 'app', deployment: 'behind', path: '/' });
    const workflows = set.workflows.flatMap((one) => [
      one,
      { ...one, name: 'part', emits: [anEmitted('/end', 'more')] },
    ]);
    const diagram = drawn([trigger({})], [{ ...set, workflows }]);
    expect(nodesOf(diagram)).toContain('flow (workflow): part, workflows in app, ⇢ told, ⇢ more');
    expect(edgesOf(diagram)).toEqual(['default -> some', 'flow -> default', 'some -> flow']);
  });

  it('uri, and producers that are elsewhere', () => {
    const set = aSet({ kind: 'uri', uri: 'http://flow.example.com/' }, [
      { type: 'asked', by: 'browser', direct: true, place },
      { type: 'other', place },
    ]);
    expect(edgesOf(drawn([], [set]))).toEqual(['browser -> flow', 'elsewhere -> default', 'flow -> default']);
  });
});

it('draws namespaces where there are several', () => {
  const one = drawn([source]);
  const two = drawn([source, object(BROKER, 'Broker', 'b', {}, 'other')]);
  expect([one.groups, two.groups.map(({ label }) => label)]).toEqual([[], ['default', 'other']]);
});
