import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Condition, SourceStatus } from '../../controller/objects.ts';
import { type OldService, OldServices } from '../../controller/old-services.ts';
import { FakeServices } from '../support/fake-services.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { PUBLIC_URL, UID, World } from '../support/world.ts';

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

/** Upstream's own status says Ready, but knows no Deployed. */
async function takenOver(): Promise<void> {
  await world.becomes('Deployed=True');
  await world.becomes('Ready=True');
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
    expect([version(), world.github.calls, world.routes.all()]).toEqual([written, [], []]);
    expect(world.announcements.map(({ reason }) => reason)).toEqual(['LeftToOtherController']);
    upstream.turn('gone');
    await takenOver();
    await world.holds(() => expect(said('TakenOver')).toHaveLength(1));
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

const OURS = `${PUBLIC_URL}/hooks/${UID}`;
const OLD = 'http://hello-x7k2p.demo.example.com';
const service: OldService = { namespace: 'demo', name: 'hello-x7k2p', uid: 's1', host: 'hello-x7k2p.demo.example.com' };

/** At GitHub, as upstream makes them. */
function upstreamHook(id: number, url: string): void {
  world.github.hooks.push({
    id,
    repository: 'octo/hello',
    active: true,
    events: ['push', 'issues'],
    config: { url, content_type: 'json', insecure_ssl: '0', secret: 's3cret' },
    updatedAt: new Date(since),
  });
}

const hooks = () => world.github.hooks.map(({ id, config }) => `${id} ${config.url}`);
const said = (reason: string) =>
  world.announcements.filter((one) => one.reason === reason).map(({ type, message }) => `${type}: ${message}`);

describe('the webhook of upstream', () => {
  it.each([
    ['at the old Knative Service', OLD, [service]],
    ['at one that is gone already', `${OLD}/`, []],
    ['at the adapter of all sources', 'http://github-adapter.knative-sources.example.com/demo/hello', []],
  ])('%s is taken over: same id, our URL', async (_name, url, services) => {
    upstreamHook(77, url);
    upstreamSource({ ...upstreamStatus, webhookIDKey: '77' });
    await world.start({ oldServices: new OldServices(new FakeServices(services)) });
    await takenOver();
    expect(hooks()).toEqual([`77 ${OURS}`]);
    expect(world.status()).toMatchObject({ webhookIDKey: '77', hooks: [{ id: '77' }] });
    expect(said('WebhookAdopted')).toEqual(['Normal: webhook 77 of octo/hello found and taken over']);
  });

  it('is still known when something else had to wait at first', async () => {
    upstreamHook(77, OLD);
    upstreamSource({ ...upstreamStatus, webhookIDKey: '77' });
    world.broker(undefined);
    await world.start();
    await world.becomes('Ready=False NotAddressable');
    expect(world.status().webhookIDKey).toBe('77');
    world.broker('http://broker.example.com/demo/default');
    await takenOver();
    expect(hooks()).toEqual([`77 ${OURS}`]);
  });

  it('that somebody pointed elsewhere is left alone', async () => {
    upstreamHook(77, 'https://ci.example.com/webhook');
    upstreamSource({ ...upstreamStatus, webhookIDKey: '77' });
    await world.start();
    await takenOver();
    expect(hooks()).toEqual(['77 https://ci.example.com/webhook', `4001 ${OURS}`]);
  });

  it('goes where ours was made already', async () => {
    upstreamHook(77, OLD);
    upstreamHook(78, OURS);
    upstreamSource({ ...upstreamStatus, webhookIDKey: '77' });
    await world.start();
    await takenOver();
    expect(hooks()).toEqual([`78 ${OURS}`]);
    expect(world.status().webhookIDKey).toBe('78');
  });

  it('goes with a source that is deleted before it was taken over', async () => {
    const host = 'hello-x7k2p-demo.apps.example.com';
    upstreamHook(77, `https://${host}`);
    upstreamSource({ ...upstreamStatus, webhookIDKey: '77' }, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    await world.start({ oldServices: new OldServices(new FakeServices([{ ...service, host }])) });
    await world.isGone();
    expect(hooks()).toEqual([]);
  });
});

describe('the old Knative Service', () => {
  it('is deleted, once the webhook is at our URL', async () => {
    const seen: string[][] = [];
    const store = new FakeServices([service], () => seen.push(hooks()));
    upstreamHook(77, OLD);
    upstreamSource({ ...upstreamStatus, webhookIDKey: '77' });
    world.github.refuse(500, /^PATCH/);
    await world.start({ oldServices: new OldServices(store) });
    // The second time it fails, it has another name.
    const failing = /^WebhookConfigured=False (Creation|Reconciliation)Failed$/;
    await world.holds(() => expect(world.condition('WebhookConfigured')).toMatch(failing));
    expect(store.services).toEqual([service]);
    world.github.refuse(undefined);
    await takenOver();
    expect([seen, store.services]).toEqual([[[`77 ${OURS}`]], []]);
    expect(said('OldReceiveAdapterDeleted')).toEqual([
      'Normal: Knative Service hello-x7k2p, the receive adapter until now, deleted: deliveries come to the new one',
    ]);
  });

  it.each([
    [
      'without the right to',
      { kind: 'forbidden' } as const,
      /may not delete it: kubectl delete services\.serving\.knative\.dev hello-x7k2p -n demo, or apply config\/migration$/,
    ],
    [
      'where the API server refuses',
      { kind: 'refused', why: '409 busy' } as const,
      /is not deleted \(409 busy\): kubectl delete services/,
    ],
  ])('%s is named once, tried again, and does not keep the source from being ready', async (_name, answer, words) => {
    const store = new FakeServices([service]);
    store.answer = answer;
    upstreamSource();
    await world.start({ oldServices: new OldServices(store) });
    await takenOver();
    await world.lookAgain();
    await world.holds(() => expect(store.attempts).toBeGreaterThan(1));
    expect(said('OldReceiveAdapterRemains')).toEqual([expect.stringMatching(words)]);
    store.answer = { kind: 'removed' };
    await world.lookAgain();
    await world.holds(() => expect(said('OldReceiveAdapterDeleted')).toHaveLength(1));
  });

  it('is tried again though nothing changes, as no right that is given does', async () => {
    const store = new FakeServices([service]);
    store.answer = { kind: 'forbidden' };
    upstreamSource();
    await world.start({ oldServices: new OldServices(store), hookCheckMs: 50, now: () => new Date() });
    await takenOver();
    await world.holds(() => expect(store.attempts).toBeGreaterThan(3));
    store.answer = { kind: 'removed' };
    await world.holds(() => expect(store.services).toEqual([]));
  });

  it('is asked for once where there is none, and again when upstream was at work or made a webhook', async () => {
    const [store, upstream] = [new FakeServices([]), new FakeUpstream('gone')];
    await world.startReady({}, { upstream, oldServices: new OldServices(store) });
    await world.lookAgain();
    await world.lookAgain();
    expect(store.asked).toBe(1);
    upstream.turn('running');
    await world.becomes('UpstreamControllerRunning=True LeaseRenewed');
    upstream.turn('gone');
    await world.holds(() => expect(store.asked).toBe(2));
    await world.becomes('UpstreamControllerRunning=undefined');
    const { hooks: _ours, ...status } = world.status();
    world.cluster.setStatus(world.reference(), { ...status, webhookIDKey: '80' });
    await world.lookAgain();
    await world.holds(() => expect(store.asked).toBe(3));
  });

  it('is asked for again while it may not be seen', async () => {
    const store = new FakeServices([service]);
    store.isVisible = false;
    await world.startReady({}, { oldServices: new OldServices(store) });
    store.isVisible = true;
    await world.lookAgain();
    await world.holds(() => expect(store.services).toEqual([]));
  });

  it('of a source that is gone is not remembered', async () => {
    const store = new FakeServices([service]);
    store.answer = { kind: 'forbidden' };
    await world.startReady({}, { oldServices: new OldServices(store) });
    await world.holds(() => expect(said('OldReceiveAdapterRemains')).toHaveLength(1));
    world.cluster.delete(world.reference());
    await world.isGone();
    world.source();
    await world.holds(() => expect(said('OldReceiveAdapterRemains')).toHaveLength(2));
    await world.becomes('Ready=True');
  });
});
