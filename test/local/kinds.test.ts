import { describe, expect, it } from 'vitest';
import { localKinds } from '../../local/kinds.ts';

const kinds = await localKinds();

type Json = Readonly<Record<string, unknown>>;

const secretKeyRef = { name: 'github', key: 'token' };
const upstream: Json = {
  ownerAndRepository: 'octo/hello',
  eventTypes: ['push'],
  accessToken: { secretKeyRef },
  secretToken: { secretKeyRef },
  sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } },
};

/** What is wrong with an object of this kind, sentence by sentence. */
function faultsOf(kind: string, rest: Json, apiVersion?: string): string[] {
  const known = kinds.find((one) => one.kind === kind && (apiVersion === undefined || one.apiVersion === apiVersion));
  if (!known) throw new Error(`no kind ${kind}`);
  return known
    .validate({ apiVersion: known.apiVersion, kind, metadata: { name: 'hello' }, ...rest })
    .map(({ message }) => message);
}

describe('a GitHubSource of upstream is taken as it is', () => {
  const rows: { name: string; spec: Json }[] = [
    { name: 'as in the documentation', spec: upstream },
    {
      name: 'with every field',
      spec: {
        ...upstream,
        githubAPIURL: 'https://ghes.example.com/api/v3/',
        secure: true,
        serviceAccountName: 'x',
        ceOverrides: { extensions: { foo: 'bar', Mixed_Case: 'x' } },
      },
    },
    { name: 'with a URI as sink', spec: { ...upstream, sink: { uri: 'http://example.com/x' } } },
    { name: 'of an organization', spec: { ...upstream, ownerAndRepository: 'octo' } },
    {
      name: 'with an owner and repository no webhook can be made for',
      spec: { ...upstream, ownerAndRepository: 'a/b/c d' },
    },
    { name: 'without references to Secrets in it', spec: { ...upstream, accessToken: {}, secretToken: {} } },
    { name: 'with an event twice', spec: { ...upstream, eventTypes: ['push', 'push'] } },
    { name: 'with null where nothing is meant', spec: { ...upstream, githubAPIURL: null } },
  ];
  for (const { name, spec } of rows) it(name, () => expect(faultsOf('GitHubSource', { spec })).toEqual([]));
});

describe('what is ours', () => {
  const rows: { name: string; spec: Json }[] = [
    { name: 'no accessToken', spec: { ...upstream, accessToken: undefined } },
    { name: 'any event, and all', spec: { ...upstream, eventTypes: ['workflow_run', 'not_invented_yet', '*'] } },
    { name: 'a path beside ref', spec: { ...upstream, sink: { ...(upstream['sink'] as Json), uri: '/events' } } },
    {
      name: 'certificates and audience',
      spec: { ...upstream, sink: { uri: 'https://x.example.com', CACerts: 'PEM', audience: 'me' } },
    },
    {
      name: 'delivery',
      spec: {
        ...upstream,
        delivery: {
          retry: 5,
          backoffPolicy: 'linear',
          backoffDelay: 'PT0.5S',
          timeout: 'PT2S',
          retryAfterMax: 'PT30S',
          deadLetterSink: { uri: 'http://dead.example.com' },
        },
      },
    },
    {
      name: 'adapter',
      spec: {
        ...upstream,
        adapter: {
          mode: 'dedicated',
          resources: { limits: { cpu: 1, memory: '64Mi' } },
          nodeSelector: { a: 'b' },
          tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoSchedule' }],
        },
      },
    },
    { name: 'eventFormat', spec: { ...upstream, eventFormat: 'knative' } },
  ];
  for (const { name, spec } of rows) {
    it(`${name} is taken`, () =>
      expect(faultsOf('GitHubSource', { spec: JSON.parse(JSON.stringify(spec)) as Json })).toEqual([]));
  }
});

describe('what is wrong is refused, with a sentence that says what to write', () => {
  const rows: { name: string; spec: Json; fault: string }[] = [
    {
      name: 'an unknown field',
      spec: { ...upstream, evntTypes: ['push'] },
      fault: 'unknown field spec.evntTypes; did you mean eventTypes?',
    },
    {
      name: 'an unknown field deep inside',
      spec: { ...upstream, secretToken: { secretKeyRef: { ...secretKeyRef, namespace: 'x' } } },
      fault: 'unknown field spec.secretToken.secretKeyRef.namespace; known here: key, name',
    },
    { name: 'a missing field', spec: { ...upstream, secretToken: undefined }, fault: 'spec.secretToken is missing' },
    { name: 'no sink', spec: { ...upstream, sink: undefined }, fault: 'spec.sink is missing' },
    { name: 'an empty sink', spec: { ...upstream, sink: {} }, fault: 'spec.sink: set ref (an object) or uri (a URL)' },
    {
      name: 'a path without ref',
      spec: { ...upstream, sink: { uri: '/events' } },
      fault: 'spec.sink.uri: without ref, uri must be absolute, such as http://host/path',
    },
    {
      name: 'an absolute URL beside ref',
      spec: { ...upstream, sink: { ...(upstream['sink'] as Json), uri: 'http://x.example.com' } },
      fault:
        'spec.sink.uri: beside ref, uri must be a path, such as /events: it is resolved against the URL of the object',
    },
    {
      name: 'a wrong type',
      spec: { ...upstream, eventTypes: 'push' },
      fault: 'spec.eventTypes must be an array, not a string',
    },
    {
      name: 'another wrong type',
      spec: { ...upstream, secure: 'yes' },
      fault: 'spec.secure must be a boolean, not a string',
    },
    {
      name: 'no events',
      spec: { ...upstream, eventTypes: [] },
      fault: 'spec.eventTypes must NOT have fewer than 1 items',
    },
    {
      name: "what is no event's name",
      spec: { ...upstream, eventTypes: ['Push!'] },
      fault: 'spec.eventTypes[0] must match pattern "^([a-z0-9_]+|[*])$"',
    },
    {
      name: 'a required attribute overridden',
      spec: { ...upstream, ceOverrides: { extensions: { source: 'x' } } },
      fault: 'spec.ceOverrides.extensions: id, source, type and specversion cannot be overridden',
    },
    {
      name: 'a format that does not exist',
      spec: { ...upstream, eventFormat: 'json' },
      fault: 'spec.eventFormat must be one of knative',
    },
    {
      name: 'a duration that is none',
      spec: { ...upstream, delivery: { timeout: '3 seconds' } },
      fault: 'ISO 8601, such as PT0.2S.',
    },
    {
      name: 'a dead-letter sink without address',
      spec: { ...upstream, delivery: { deadLetterSink: {} } },
      fault: 'spec.delivery.deadLetterSink: set ref (an object) or uri (a URL)',
    },
  ];
  for (const { name, spec, fault } of rows) {
    it(name, () => {
      const faults = faultsOf('GitHubSource', { spec: JSON.parse(JSON.stringify(spec)) as Json });
      expect(faults).toEqual([expect.stringContaining(fault)]);
    });
  }

  it('everything at once', () => {
    const faults = faultsOf('GitHubSource', {
      metadata: { name: 'Not_Good' },
      spec: { sink: 3, eventTypes: ['push'] },
      sepc: {},
    });
    expect(faults).toHaveLength(5);
  });

  it('in the other kinds, too', () => {
    const channel = { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'c' };
    expect(
      faultsOf('Trigger', { spec: { broker: 'default', subscriber: { uri: 'http://x' }, filters: [{ exakt: {} }] } }),
    ).toEqual(['there is no filter dialect exakt; did you mean exact?']);
    expect(faultsOf('Subscription', { spec: { channel: { ...channel, namespace: 'x' } } })).toEqual([
      'spec.subscriber is missing',
      'unknown field spec.channel.namespace; known here: apiVersion, kind, name',
    ]);
    expect(faultsOf('InMemoryChannel', { spec: { channelTemplate: channel } })).toEqual([
      'unknown field spec.channelTemplate; known here: delivery',
    ]);
    expect(faultsOf('Channel', { spec: { channelTemplate: channel, delivery: { retry: 1 } } })).toEqual([
      'unknown field spec.channelTemplate.name; known here: apiVersion, kind, spec',
    ]);
    expect(faultsOf('SinkBinding', { spec: { subject: { ...channel, selector: { matchExpressions: [] } } } })).toEqual([
      'spec.sink is missing',
      'unknown field spec.subject.selector.matchExpressions; known here: matchLabels',
    ]);
    expect(faultsOf('Trigger', {})).toEqual(['spec is missing']);
    expect(faultsOf('Secret', { data: { token: 'not base64!' } })).toEqual([
      expect.stringContaining('data.token must match pattern'),
    ]);
    expect(faultsOf('Broker', { spec: { delivery: { retries: 3 } } })).toEqual([
      expect.stringContaining('unknown field spec.delivery.retries; known here: backoffDelay,'),
    ]);
    expect(faultsOf('Service', { spec: { ports: [{ port: 80 }] } }, 'v1')).toEqual([]);
  });
});
