import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FIRST_GENERATION, PUBLIC_URL, UID, World } from '../support/world.ts';

let world: World;
beforeEach(() => void (world = new World()));
afterEach(() => world.end());

const url = `${PUBLIC_URL}/hooks/${UID}`;
const writes = () => world.github.calls.filter((call) => !call.startsWith('GET '));
const reasons = () => world.announcements.map(({ type, reason }) => `${type} ${reason}`);

describe('a new source', () => {
  it('gets its webhook, and says so', async () => {
    await world.startReady();
    expect(world.github.hooks).toEqual([
      expect.objectContaining({
        repository: 'octo/hello',
        active: true,
        events: ['push', 'issues'],
        config: { url, content_type: 'json', insecure_ssl: '0', secret: 's3cret' },
      }),
    ]);
    const { conditions = [], ...status } = world.status();
    expect(status).toEqual({
      observedGeneration: 1,
      sinkUri: 'http://broker.example.com/demo/default',
      webhookURL: url,
      webhookIDKey: '4001',
      hooks: [{ api: world.api, repository: 'octo/hello', id: '4001', secretVersion: expect.any(String) }],
      ceAttributes: ['push', 'issues'].map((event) => ({
        type: `dev.knative.source.github.${event}`,
        source: 'https://github.com/octo/hello',
      })),
    });
    expect(conditions.map(({ type, status: is }) => `${type}=${is}`)).toEqual([
      'SecretsProvided=True',
      'SinkProvided=True',
      'Deployed=True',
      'WebhookConfigured=True',
      'Ready=True',
    ]);
    expect(world.object()?.metadata.finalizers).toEqual(['githubsources.sources.knative.dev']);
    expect(reasons()).toEqual(['Normal WebhookCreated', 'Normal Ready']);
  });

  it('has a route that adapters can serve', async () => {
    await world.startReady({ delivery: { retry: 1 }, ceOverrides: { extensions: { Team: 'blue', 'not-one': 'x' } } });
    expect(world.routes.get(UID)).toMatchObject({
      uid: UID,
      kind: 'GitHubSource',
      namespace: 'demo',
      name: 'hello',
      path: `/hooks/${UID}`,
      generation: FIRST_GENERATION,
      eventSource: 'https://github.com/octo/hello',
      eventTypes: ['push', 'issues'],
      deadLetterSink: null,
      sink: { url: 'http://broker.example.com/demo/default' },
      delivery: { retry: 1 },
      secretTokens: [{ value: 's3cret' }],
      ceOverrides: { extensions: { team: 'blue' } },
    });
    expect(world.condition('Deployed')).toBe('Deployed=True OverridesNotSent');
    expect(world.message('Deployed')).toContain('not-one');
  });

  it('has its route served before the webhook is made', async () => {
    world.served = new Map();
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source();
    await world.becomes('Ready=Unknown RouteNotServed');
    expect(world.github.calls).toEqual([]);
    world.served = undefined;
    await world.becomes('Ready=True');
  });

  it('is not ready while no adapter is', async () => {
    world.served = null;
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source();
    await world.becomes('Ready=False MissingReceiveAdapter');
    expect(world.github.hooks).toEqual([]);
  });

  it('takes over a webhook that is its own, also one on page 2 of 35', async () => {
    await world.open();
    const base = `${world.api}/repos/octo/hello/hooks`;
    const make = (target: string) =>
      fetch(base, {
        method: 'POST',
        headers: { authorization: 'Bearer token', 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'web', config: { url: target } }),
      });
    for (let index = 0; index < 35; index += 1)
      await make(index === 34 ? `http://old.example.com/base/hooks/${UID}` : `http://x.example.com/${index}`);
    await world.startReady();
    expect(world.github.hooks).toHaveLength(35);
    expect(world.github.hooks[34]).toMatchObject({
      events: ['push', 'issues'],
      config: { url, secret: 's3cret', content_type: 'json' },
    });
    expect(reasons()).toEqual(['Normal WebhookAdopted', 'Normal Ready']);
  });

  it('of an owner without a slash has a webhook of the organization', async () => {
    await world.startReady({ ownerAndRepository: 'octo' });
    expect(writes()).toEqual(['POST /orgs/octo/hooks']);
    expect(world.status().ceAttributes?.[0]?.source).toBe('https://github.com/octo');
  });

  it('beside another one on the same repository: each has its own webhook', async () => {
    await world.startReady();
    world.source({}, { name: 'second', uid: '22222222-2222-4222-8222-222222222222' });
    await world.becomes('Ready=True', 'second');
    expect(world.github.hooks.map(({ config }) => config.url)).toEqual([
      url,
      url.replace(UID, '22222222-2222-4222-8222-222222222222'),
    ]);
  });

  it('asks for an event nobody knows, with a doubt', async () => {
    await world.startReady({ eventTypes: ['pull_requests'] });
    expect(world.github.hooks[0]?.events).toEqual(['pull_requests']);
    expect(world.announcements).toContainEqual({
      type: 'Warning',
      reason: 'SpecDoubtful',
      message: expect.stringContaining('did you mean pull_request?'),
    });
  });

  it('says when its delivery policy cannot be kept', async () => {
    await world.startReady({ delivery: { retry: 10, backoffDelay: 'PT0.2S' } });
    expect(world.condition('Deployed')).toBe('Deployed=True DeliveryCutShort');
    expect(world.message('Deployed')).toContain('204.6 s');
  });

  it('that wants an adapter of its own', async () => {
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({ adapter: { mode: 'dedicated' } });
    await world.becomes('Ready=False DedicatedNotEnabled');
    expect(world.message('Deployed')).toContain('apply config/dedicated');
    expect(world.routes.get(UID)).toBeUndefined();
  });

  it('whose provider cannot reach the adapter', async () => {
    await world.start({
      adapter: {
        dedicated: 'refused',
        defaultMode: 'shared',
        publicUrlFor: () => undefined,
        publicUrlAdvice: 'set PUBLIC_URL',
      },
    });
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source();
    await world.becomes('Ready=False NoPublicAddress');
    expect(world.message('Deployed')).toContain('set PUBLIC_URL');
    expect(world.routes.get(UID)?.generation).toBe(FIRST_GENERATION);
    expect(world.github.calls).toEqual([]);
    expect(world.status().webhookURL).toBeUndefined();
  });
});

describe('an edit', () => {
  it('of eventTypes changes webhook and route', async () => {
    await world.startReady();
    world.source({ eventTypes: ['star', '*'] });
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['*']));
    await world.holds(() => expect(world.status().observedGeneration).toBe(2));
    expect(world.github.hooks).toHaveLength(1);
    expect(world.routes.get(UID)).toMatchObject({ eventTypes: ['*'], generation: FIRST_GENERATION + 1 });
    expect(world.status().ceAttributes?.length).toBeGreaterThan(60);
  });

  it('of the owner makes a webhook there and removes the old one', async () => {
    await world.startReady();
    world.source({ ownerAndRepository: 'octo/other' });
    await world.holds(() => expect(world.github.hooks.map(({ repository }) => repository)).toEqual(['octo/other']));
    await world.holds(() => expect(world.status().hooks?.map(({ repository }) => repository)).toEqual(['octo/other']));
    expect(world.status()).toMatchObject({
      webhookIDKey: '4002',
      ceAttributes: [{ source: 'https://github.com/octo/other' }, {}],
    });
    expect(writes()).toEqual([
      'POST /repos/octo/hello/hooks',
      'POST /repos/octo/other/hooks',
      'DELETE /repos/octo/hello/hooks/4001',
    ]);
    expect(reasons()).toContain('Normal WebhookRemoved');
  });

  it('of the owner, when the old webhook cannot be removed: that is said, and tried again', async () => {
    await world.startReady();
    world.github.refuse(500, /^DELETE/);
    world.source({ ownerAndRepository: 'octo/other' });
    await world.becomes('WebhookConfigured=True OldWebhookRemains');
    expect(world.status().hooks?.map(({ repository }) => repository)).toEqual(['octo/other', 'octo/hello']);
    expect(world.condition('Ready')).toBe('Ready=True');
    world.github.refuse(undefined);
    await world.becomes('WebhookConfigured=True');
    expect(world.github.hooks.map(({ repository }) => repository)).toEqual(['octo/other']);
  });

  it('of the sink reaches the route; the webhook is not written', async () => {
    await world.startReady();
    world.broker('http://other.example.com/', 'other');
    world.source({
      sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'other' }, uri: '/in' },
    });
    await world.holds(() => expect(world.status().sinkUri).toBe('http://other.example.com/in'));
    expect(world.routes.get(UID)?.sink).toEqual({ url: 'http://other.example.com/in' });
    expect(writes()).toEqual(['POST /repos/octo/hello/hooks']);
  });

  it('of `secure` changes the scheme of the URL, and stays so', async () => {
    await world.startReady({ secure: false });
    expect(world.github.hooks[0]?.config.url).toBe(url.replace('https', 'http'));
    await world.lookAgain();
    expect(world.github.hooks[0]?.config.url).toBe(url.replace('https', 'http'));
    world.source({ secure: true });
    await world.holds(() => expect(world.status().webhookURL).toBe(url));
    expect(world.github.hooks[0]?.config.url).toBe(url);
  });

  it('of nothing the webhook has writes nothing', async () => {
    await world.startReady();
    await world.lookAgain();
    world.source({ delivery: { retry: 1 } });
    await world.holds(() => expect(world.status().observedGeneration).toBe(2));
    await world.restart();
    await world.lookAgain();
    expect(writes()).toEqual(['POST /repos/octo/hello/hooks']);
  });
});
