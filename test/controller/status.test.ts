import { describe, expect, it } from 'vitest';
import type { Facts } from '../../controller/facts.ts';
import type { Condition, SourceObject, SourceStatus } from '../../controller/objects.ts';
import { computeStatus } from '../../controller/status.ts';
import { blocked } from '../../controller/step.ts';
import { aRoute } from '../support/builders.ts';

const EARLIER = '2026-01-01T00:00:00.000Z';
const NOW = new Date('2026-01-02T00:00:00Z');
const plan: Facts['plan'] = {
  eventSource: 'https://github.com/octo/hello',
  eventTypes: ['push'],
  ceTypes: ['a.push'],
  secretToken: undefined,
  accessToken: undefined,
  hook: { api: 'https://api.example.com', repository: 'octo/hello' },
  secure: undefined,
  provider: {},
  problems: [],
  warnings: [],
};
const HOOK = { api: 'https://api.example.com', repository: 'octo/hello', id: '7', secretVersion: '1' };
const SINKS = { done: { sink: { url: 'http://sink' }, deadLetterSink: null } };
const good: Facts = {
  plan,
  secrets: { done: { secretToken: { value: 's', version: '1' }, accessToken: 't' } },
  sinks: SINKS,
  deployed: { done: aRoute() },
  webhook: { done: HOOK },
  webhookURL: 'http://hooks/x',
  hooks: [HOOK],
};

function aSource(status?: SourceStatus, generation = 1): SourceObject {
  const metadata = { name: 'hello', namespace: 'demo', uid: 'u', generation, creationTimestamp: EARLIER };
  return { apiVersion: 'sources.knative.dev/v1alpha1', kind: 'GitHubSource', metadata, spec: { sink: {} }, status };
}

const condition = (type: string, status: Condition['status'], reason?: string): Condition => ({
  type,
  status,
  lastTransitionTime: EARLIER,
  ...(reason && { reason, message: `${reason}!` }),
});
const text = ({ conditions = [] }: SourceStatus) =>
  conditions.map(({ type, status, reason }) => `${type}=${status}${reason ? ` ${reason}` : ''}`).join(', ');
const NAMES = ['SecretsProvided', 'SinkProvided', 'Deployed', 'WebhookConfigured', 'Ready'];
const conditionsTrue = NAMES.map((type) => condition(type, 'True'));
const allTrue: SourceStatus = {
  observedGeneration: 1,
  conditions: conditionsTrue,
  sinkUri: 'http://sink',
  hooks: [HOOK],
  webhookIDKey: '7',
  webhookURL: 'http://hooks/x',
};

const notServed = blocked('RouteNotServed', 'why', { when: 'backoff' }, 'Unknown');

describe('computeStatus', () => {
  it('is the same for the same facts, so that nothing is written', () => {
    const first = computeStatus(aSource(), good, NOW);
    expect(text(first)).toBe(
      'SecretsProvided=True, SinkProvided=True, Deployed=True, WebhookConfigured=True, Ready=True',
    );
    expect(computeStatus(aSource(first), good, new Date('2027-01-01'))).toEqual(first);
  });

  it('moves a time only when the status of that condition does', () => {
    const facts: Facts = { ...good, webhook: blocked('ReconciliationFailed', 'why') };
    const times = computeStatus(aSource(allTrue), facts, NOW).conditions?.map(({ type, lastTransitionTime }) => [
      type,
      lastTransitionTime === EARLIER,
    ]);
    expect(times).toEqual([
      ['SecretsProvided', true],
      ['SinkProvided', true],
      ['Deployed', true],
      ['WebhookConfigured', false],
      ['Ready', false],
    ]);
    const failing = computeStatus(
      aSource({ ...allTrue, conditions: NAMES.map((type) => condition(type, 'False', 'Other')) }),
      facts,
      NOW,
    );
    expect(failing.conditions?.find(({ type }) => type === 'WebhookConfigured')).toMatchObject({
      reason: 'ReconciliationFailed',
      lastTransitionTime: EARLIER,
    });
  });

  const rows: { name: string; facts: Facts; previous?: SourceStatus; generation?: number; says: string }[] = [
    {
      name: 'steps not come to are unknown',
      facts: { plan, secrets: blocked('SecretTokenNotFound', 'why') },
      says: 'SecretsProvided=False SecretTokenNotFound, SinkProvided=Unknown, Deployed=Unknown, WebhookConfigured=Unknown, Ready=False SecretTokenNotFound',
    },
    {
      name: 'or as they were, of the same spec',
      facts: { plan, secrets: blocked('SecretTokenNotFound', 'why') },
      previous: allTrue,
      says: 'SecretsProvided=False SecretTokenNotFound, SinkProvided=True, Deployed=True, WebhookConfigured=True, Ready=False SecretTokenNotFound',
    },
    {
      name: 'but not of another spec',
      facts: { plan, secrets: blocked('SecretTokenNotFound', 'why') },
      previous: allTrue,
      generation: 2,
      says: 'SecretsProvided=False SecretTokenNotFound, SinkProvided=Unknown, Deployed=Unknown, WebhookConfigured=Unknown, Ready=False SecretTokenNotFound',
    },
    {
      name: 'nor a webhook of another URL',
      facts: { plan, deployed: notServed, webhookURL: 'http://hooks/y' },
      previous: allTrue,
      says: 'SecretsProvided=True, SinkProvided=True, Deployed=Unknown RouteNotServed, WebhookConfigured=Unknown, Ready=Unknown RouteNotServed',
    },
    {
      name: 'a webhook of the same URL stays',
      facts: { plan, deployed: notServed, webhookURL: 'http://hooks/x' },
      previous: allTrue,
      says: 'SecretsProvided=True, SinkProvided=True, Deployed=Unknown RouteNotServed, WebhookConfigured=True, Ready=Unknown RouteNotServed',
    },
    {
      name: 'nor a webhook that another controller had in the meantime',
      facts: { plan, deployed: notServed, webhookURL: 'http://hooks/x' },
      previous: { ...allTrue, conditions: [...conditionsTrue, condition('UpstreamControllerRunning', 'True')] },
      says: 'SecretsProvided=True, SinkProvided=True, Deployed=Unknown RouteNotServed, WebhookConfigured=Unknown, Ready=Unknown RouteNotServed',
    },
    {
      name: 'False comes before Unknown',
      facts: {
        ...good,
        deployed: notServed,
        webhook: blocked('CreationFailed', 'why'),
      },
      says: 'SecretsProvided=True, SinkProvided=True, Deployed=Unknown RouteNotServed, WebhookConfigured=False CreationFailed, Ready=False CreationFailed',
    },
    {
      name: 'a note stands beside True',
      facts: { ...good, sinks: { ...SINKS, note: { reason: 'TokenNotSent', message: 'why' } } },
      says: 'SecretsProvided=True, SinkProvided=True TokenNotSent, Deployed=True, WebhookConfigured=True, Ready=True',
    },
  ];
  for (const { name, facts, previous, generation, says } of rows) {
    it(name, () => expect(text(computeStatus(aSource(previous, generation), facts, NOW))).toBe(says));
  }

  it('keeps what was found before where nothing was found now, and drops a sink that is gone', () => {
    const kept = computeStatus(aSource(allTrue), { plan, secrets: blocked('X', 'why'), sinks: SINKS }, NOW);
    expect(kept).toMatchObject({
      sinkUri: 'http://sink',
      hooks: [HOOK],
      webhookIDKey: '7',
      webhookURL: 'http://hooks/x',
    });
    const gone = computeStatus(aSource(allTrue), { plan, sinks: blocked('NotFound', 'why') }, NOW);
    expect(gone.sinkUri).toBeUndefined();
    expect(gone.hooks).toEqual([HOOK]);
    const noAddress = computeStatus(aSource(allTrue), { ...good, webhookURL: undefined }, NOW);
    expect(noAddress.webhookURL).toBeUndefined();
  });
});
