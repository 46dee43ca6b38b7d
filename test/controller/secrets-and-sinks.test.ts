import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UID, World } from '../support/world.ts';

let world: World;
beforeEach(() => void (world = new World()));
afterEach(() => world.end());

describe('what a source names', () => {
  beforeEach(() => world.start());

  it('a Secret that is missing, then lacks a key, then has an unusable value, then is there', async () => {
    world.broker('http://broker.example.com/');
    world.source();
    await world.becomes('Ready=False AccessTokenNotFound');
    expect(world.message('Ready')).toContain('secret "github" not found: create it in namespace demo');
    expect(world.condition('SinkProvided')).toBe('SinkProvided=True');
    expect(world.condition('WebhookConfigured')).toBe('WebhookConfigured=Unknown');
    world.secret({ accessToken: 'token' });
    await world.becomes('Ready=False SecretTokenNotFound');
    expect(world.message('Ready')).toContain('key "secretToken" not found in secret "github"');
    world.secret({ accessToken: 'token\n', secretToken: 's3cret' });
    await world.becomes('Ready=False AccessTokenInvalid');
    world.secret({ accessToken: 'token', secretToken: 's3cret\n' });
    await world.becomes('Ready=False SecretTokenInvalid');
    expect(world.message('Ready')).toContain('line break');
    expect(world.message('Ready')).not.toContain('s3cret');
    world.secret({ accessToken: 'token', secretToken: '' });
    await world.holds(() => expect(world.message('Ready')).toContain('is empty'));
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    await world.becomes('Ready=True');
  });

  it('no key of a Secret', async () => {
    world.broker('http://broker.example.com/');
    world.source({ secretToken: {}, accessToken: {} });
    await world.becomes('Ready=False SecretTokenNotFound');
    expect(world.message('Ready')).toContain('spec.secretToken.secretKeyRef must name');
  });

  it('a Secret that goes: the route stays', async () => {
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source();
    await world.becomes('Ready=True');
    world.cluster.delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name: 'github' });
    await world.becomes('Ready=False AccessTokenNotFound');
    expect(world.condition('WebhookConfigured')).toBe('WebhookConfigured=True');
    expect(world.routes.get(UID)?.secretTokens).toHaveLength(1);
  });

  it('a sink that appears later, is not ready, changes, and goes', async () => {
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.source();
    await world.becomes('Ready=False NotFound');
    expect(world.message('SinkProvided')).toBe(
      'Broker demo/default (eventing.knative.dev/v1) not found: create it, or name another sink',
    );
    world.broker(undefined);
    await world.becomes('Ready=False NotAddressable');
    world.broker('http://broker.example.com/');
    await world.becomes('Ready=True');
    world.broker('http://moved.example.com/');
    await world.holds(() => expect(world.status().sinkUri).toBe('http://moved.example.com/'));
    world.cluster.delete({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', namespace: 'demo', name: 'default' });
    await world.becomes('Ready=False NotFound');
    expect(world.status().sinkUri).toBeUndefined();
    expect(world.routes.get(UID)?.sink).toBeNull();
    world.broker('http://moved.example.com/');
    await world.becomes('Ready=True');
    expect(world.routes.get(UID)?.sink).toEqual({ url: 'http://moved.example.com/' });
    expect(world.github.hooks).toHaveLength(1);
  });

  it('a sink of a kind that is not installed', async () => {
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.source({ sink: { ref: { apiVersion: 'messaging.knative.dev/v1', kind: 'Channel', name: 'x' } } });
    await world.becomes('Ready=False NotFound');
    expect(world.message('Ready')).toContain('no kind Channel in messaging.knative.dev/v1');
  });

  it('a Kubernetes Service, in another namespace', async () => {
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'svc', namespace: 'other', uid: 's' },
      spec: {},
    });
    world.source({
      sink: { ref: { apiVersion: 'v1', kind: 'Service', name: 'svc', namespace: 'other' }, uri: '/in?x=1' },
    });
    await world.becomes('Ready=True');
    expect(world.status().sinkUri).toBe('http://svc.other.svc.cluster.local/in?x=1');
  });

  it('an https address where there are certificates for it, else the first', async () => {
    const pem = await readFile(new URL('../support/tls/ca.pem', import.meta.url), 'utf8');
    const broker = { ...world.spec.sink.ref, namespace: 'demo' };
    const plain = { url: 'http://broker.example.com/' };
    const own = { url: 'https://broker.example.com/', CACerts: pem };
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker(plain.url);
    world.source();
    await world.becomes('Ready=True');
    world.cluster.setStatus(broker, { address: plain, addresses: [own, plain] });
    await world.holds(() => expect(world.status().sinkUri).toBe(own.url));
    expect(world.status().sinkCACerts).toBe(pem);
    world.cluster.setStatus(broker, { addresses: [plain, { url: own.url }] });
    await world.holds(() => expect(world.status().sinkUri).toBe(plain.url));
    world.source({ sink: { ref: world.spec.sink.ref, CACerts: pem } });
    await world.holds(() => expect(world.status().sinkUri).toBe(own.url));
    expect(world.routes.get(UID)?.sink).toEqual({ url: own.url, CACerts: pem });
  });

  it('a dead-letter sink, which is resolved like the sink', async () => {
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({
      delivery: { deadLetterSink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'dead' } } },
    });
    await world.becomes('Ready=False NotFound');
    expect(world.message('Ready')).toContain(
      'spec.delivery.deadLetterSink: Broker demo/dead (eventing.knative.dev/v1) not found',
    );
    world.broker('http://dead.example.com/', 'dead');
    await world.becomes('Ready=True');
    expect(world.status().deadLetterSinkUri).toBe('http://dead.example.com/');
    expect(world.routes.get(UID)?.deadLetterSink).toEqual({ url: 'http://dead.example.com/' });
  });

  for (const uri of [
    'http://169.254.169.254/latest',
    'http://[fe80::1]/',
    'http://0.0.0.0/',
    'ftp://x.example.com',
    'http://user:pass@x.example.com/',
  ]) {
    it(`${uri} as a sink is refused`, async () => {
      world.secret({ accessToken: 'token', secretToken: 's3cret' });
      world.source({ sink: { uri } });
      await world.becomes('Ready=False SinkInvalid');
      expect(world.message('Ready')).not.toContain('pass@');
    });
  }

  it('certificates that are none are refused, and an audience is said to have no effect', async () => {
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.source({ sink: { uri: 'https://x.example.com', CACerts: 'garbage' } });
    await world.becomes('Ready=False SinkInvalid');
    const pem = await readFile(new URL('../support/tls/ca.pem', import.meta.url), 'utf8');
    world.source({ sink: { uri: 'https://x.example.com', CACerts: pem, audience: 'me' } });
    await world.becomes('SinkProvided=True TokenNotSent');
    expect(world.routes.get(UID)?.sink).toEqual({ url: 'https://x.example.com', CACerts: pem, audience: 'me' });
    expect(world.status()).toMatchObject({ sinkCACerts: pem, sinkAudience: 'me' });
  });

  it('a sink that comes back while the Secret is away is in the route again', async () => {
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source();
    await world.becomes('Ready=True');
    world.cluster.delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name: 'github' });
    world.cluster.delete({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', namespace: 'demo', name: 'default' });
    await world.holds(() => expect(world.routes.get(UID)?.sink).toBeNull());
    world.broker('http://back.example.com/');
    await world.holds(() => expect(world.routes.get(UID)?.sink).toEqual({ url: 'http://back.example.com/' }));
  });

  it('a kind that is not installed, and then is', async () => {
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    const thing = { apiVersion: 'things.example.com/v1', kind: 'Thing' };
    world.source({ sink: { ref: { ...thing, name: 'one' } } });
    await world.becomes('Ready=False NotFound');
    expect(world.message('SinkProvided')).toContain('the cluster has no kind Thing in things.example.com/v1');
    world.install(thing);
    await world.holds(() => expect(world.message('SinkProvided')).toContain('create it, or name another sink'));
  });

  it('extensions that no event can carry are not sent, and said', async () => {
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({
      ceOverrides: { extensions: { data: 'x', DataContentType: 'y', team: 'z', Type: 'a', 'my-team': 'b' } },
    });
    await world.becomes('Deployed=True OverridesNotSent');
    expect(world.message('Deployed')).toBe(
      'of ceOverrides.extensions some are not sent, rename or remove them: "data" is of the data, which is sent as it came; "DataContentType" is of the data, which is sent as it came; "Type" is what every event has of its own; "my-team" has other characters than letters and digits',
    );
    expect(world.routes.get(UID)?.ceOverrides).toEqual({ extensions: { team: 'z' } });
  });
});

it('a sink of another namespace, where the install does not allow it', async () => {
  const elsewhere = { ref: { apiVersion: 'v1', kind: 'Service', name: 'svc', namespace: 'other' } };
  await world.startReady({}, { refuseCrossNamespace: true });
  world.source({ sink: elsewhere });
  await world.becomes('Ready=False CrossNamespaceSink');
  expect(world.message('Ready')).toContain('Service other/svc is of another namespace');
  expect(world.routes.get(UID)?.sink).toBeNull();
  world.source({ delivery: { deadLetterSink: elsewhere } });
  await world.holds(() => expect(world.message('Ready')).toContain('spec.delivery.deadLetterSink: Service other/svc'));
  world.source({ sink: { ref: { ...world.spec.sink.ref, namespace: 'demo' } } });
  await world.becomes('Ready=True');
});
