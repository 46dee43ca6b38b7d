import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Condition, SourceStatus } from '../../controller/objects.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { UID, World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.open();
});
afterEach(() => world.end());

const since = '2025-12-01T00:00:00Z';
const trueSince = (type: string): Condition => ({ type, status: 'True', lastTransitionTime: since });
const upstreamStatus: SourceStatus = {
  conditions: ['Ready', 'SecretsProvided', 'SinkProvided', 'WebhookConfigured'].map(trueSince),
  sinkUri: 'http://broker.example.com/demo/default',
};

/** A source as upstream's controller left it, with its Secret and sink. */
function upstreamSource(status: SourceStatus = upstreamStatus, metadata: object = {}): void {
  world.secret({ accessToken: 'token', secretToken: 's3cret' });
  world.broker('http://broker.example.com/demo/default');
  world.cluster.restore({
    apiVersion: 'sources.knative.dev/v1alpha1',
    kind: 'GitHubSource',
    metadata: {
      name: 'hello',
      namespace: 'demo',
      uid: UID,
      generation: 2,
      creationTimestamp: since,
      finalizers: ['githubsources.sources.knative.dev'],
      ...metadata,
    },
    spec: world.spec,
    status,
  });
}

const writesAtGitHub = () => world.github.calls.filter((call) => !call.startsWith('GET '));
const version = () => world.object()?.metadata.resourceVersion;
const steppedAside = {
  type: 'UpstreamControllerRunning',
  status: 'True',
  severity: 'Info',
  reason: 'LeaseRenewed',
  message: expect.stringContaining('stop it, and this one takes over') as string,
  lastTransitionTime: '2026-01-01T00:00:00.000Z',
};

describe("while upstream's controller is at work", () => {
  it('one condition is written, once; then, when it is gone, everything is done and the condition goes', async () => {
    const upstream = new FakeUpstream('running');
    upstreamSource();
    await world.start({ upstream });
    await world.holds(() =>
      expect(world.status()).toEqual({
        ...upstreamStatus,
        conditions: [...(upstreamStatus.conditions ?? []), steppedAside],
      }),
    );
    const written = version();
    await upstream.lookedAgain();
    expect([version(), world.github.calls, world.routes.all(), world.announcements]).toEqual([written, [], [], []]);
    upstream.turn('gone');
    await world.becomes('Deployed=True');
    await world.becomes('Ready=True');
    expect(world.condition('UpstreamControllerRunning')).toBe('UpstreamControllerRunning=undefined');
  });

  it('nothing is written while nobody knows yet, and nothing to a new source but the condition', async () => {
    const upstream = new FakeUpstream('unclear');
    upstreamSource({}, { finalizers: [] });
    const before = version();
    await world.start({ upstream });
    await upstream.lookedAgain();
    expect(version()).toBe(before);
    upstream.turn('running');
    await world.holds(() => expect(world.status()).toEqual({ conditions: [steppedAside] }));
    expect(world.object()?.metadata.finalizers).toEqual([]);
  });

  it('a source that is being deleted is left to it', async () => {
    const upstream = new FakeUpstream('running');
    upstreamSource(upstreamStatus, { deletionTimestamp: since });
    await world.start({ upstream });
    await upstream.lookedAgain();
    expect([world.status(), world.github.calls]).toEqual([upstreamStatus, []]);
  });

  it('when it comes back, all is left as it is', async () => {
    const upstream = new FakeUpstream('gone');
    await world.startReady({}, { upstream });
    const [before, calls, routes] = [world.status(), writesAtGitHub(), world.routes.all()];
    upstream.turn('running');
    await world.holds(() => expect(world.status().conditions).toEqual([...(before.conditions ?? []), steppedAside]));
    world.source({ eventTypes: ['star'] });
    await upstream.lookedAgain();
    expect([writesAtGitHub(), world.routes.all()]).toEqual([calls, routes]);
    expect({ ...world.status(), conditions: before.conditions }).toEqual(before);
  });
});
