import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SourceStatus } from '../../controller/objects.ts';
import { World } from '../support/world.ts';

let world: World;
beforeEach(() => void (world = new World()));
afterEach(() => world.end());

const BROKER_URL = 'http://broker.example.com/demo/default';
const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' };
const service = { apiVersion: 'v1', kind: 'Service', name: 'events' };

/** How sources get into trouble, one thing after the other; and what `Ready` then is. */
const troubles: { name: string; make: () => void; ready: string }[] = [
  { name: 'no secret', make: () => world.source(), ready: 'Ready=False AccessTokenNotFound' },
  {
    name: 'no sink',
    make: () => {
      world.secret({ accessToken: 'token', secretToken: 's3cret' });
      world.source();
    },
    ready: 'Ready=False NotFound',
  },
  {
    name: 'a sink without an address',
    make: () => {
      world.secret({ accessToken: 'token', secretToken: 's3cret' });
      world.broker(undefined);
      world.source();
    },
    ready: 'Ready=False NotAddressable',
  },
  {
    name: 'no adapter that serves it yet',
    make: () => {
      world.served = new Map();
      world.secret({ accessToken: 'token', secretToken: 's3cret' });
      world.broker(BROKER_URL);
      world.source();
    },
    ready: 'Ready=Unknown RouteNotServed',
  },
  {
    name: 'an access token that GitHub does not take',
    make: () => {
      world.secret({ accessToken: 'bad-token', secretToken: 's3cret' });
      world.broker(BROKER_URL);
      world.source();
    },
    ready: 'Ready=False CreationFailed',
  },
  {
    name: 'nothing',
    make: () => {
      world.secret({ accessToken: 'token', secretToken: 's3cret' });
      world.broker(BROKER_URL);
      world.source();
    },
    ready: 'Ready=True',
  },
];

const conditionsOf = ({ conditions = [] }: SourceStatus) => conditions;

// The names of these tests are in docs/conformance.md.
describe('a source object', () => {
  it('says whether it is ready, of no less than its conditions say, with reasons', async () => {
    for (const { name, make, ready } of troubles) {
      world = new World();
      await world.start();
      make();
      await world.becomes(ready).catch((error: unknown) => {
        throw new Error(name, { cause: error });
      });
      const conditions = conditionsOf(world.status());
      const [last, ...others] = conditions.toReversed();
      expect(last?.type).toBe('Ready');
      expect(new Set(conditions.map(({ type }) => type)).size).toBe(conditions.length);
      const statuses = new Set(others.map(({ status }) => status));
      const least = (['False', 'Unknown', 'True'] as const).find((status) => statuses.has(status));
      expect(last?.status).toBe(least);
      for (const { reason, message } of conditions.filter(({ status }) => status === 'False')) {
        expect(reason).toMatch(/^[A-Z][A-Za-z]+$/);
        expect(message).toMatch(/\w/);
      }
      for (const { severity } of conditions) expect(severity ?? '').toBe('');
      await world.end();
    }
  });

  it('says which generation of its spec that is about', async () => {
    await world.startReady();
    expect(world.status().observedGeneration).toBe(1);
    world.source({ eventTypes: ['star'] });
    await world.holds(() => expect(world.status().observedGeneration).toBe(2));
    expect(world.object()?.metadata.generation).toBe(2);
    await world.becomes('Ready=True');
  });

  const sinks = [
    { sink: { ref: broker }, sinkUri: BROKER_URL },
    { sink: { ref: service }, sinkUri: 'http://events.demo.svc.cluster.local/' },
    { sink: { uri: 'https://sink.example.com/in?x=1' }, sinkUri: 'https://sink.example.com/in?x=1' },
    { sink: { ref: broker, uri: '/other' }, sinkUri: 'http://broker.example.com/other' },
  ];
  it('says where its events go, whatever way the sink is named', async () => {
    await world.startReady();
    const metadata = { name: 'events', namespace: 'demo', uid: 'events' };
    world.cluster.apply({ apiVersion: 'v1', kind: 'Service', metadata, spec: {} });
    for (const { sink, sinkUri } of sinks) {
      world.source({ sink });
      await world.holds(() => expect(world.status().sinkUri?.replace(/\/$/, '')).toBe(sinkUri.replace(/\/$/, '')));
    }
  });

  it('says where its events go no longer when that is gone', async () => {
    await world.startReady();
    world.cluster.delete({ ...broker, namespace: 'demo' });
    await world.becomes('Ready=False NotFound');
    expect(world.status().sinkUri).toBeUndefined();
  });

  it('names type and source of each event that can come, of which Eventing makes EventTypes', async () => {
    await world.startReady({ eventTypes: ['push', 'star'] });
    const source = 'https://github.com/octo/hello';
    const types = ['push', 'star'].map((event) => `dev.knative.source.github.${event}`);
    expect(world.status().ceAttributes).toEqual(types.map((type) => ({ type, source })));
  });
});
