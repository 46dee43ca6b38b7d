import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UID, World } from '../support/world.ts';

let world: World;
beforeEach(() => void (world = new World()));
afterEach(() => world.end());

const writes = () => world.github.calls.filter((call) => !call.startsWith('GET '));
const reasons = () => world.announcements.map(({ type, reason }) => `${type} ${reason}`);

describe('a new secret', () => {
  const tokens = () => world.routes.get(UID)?.secretTokens.map(({ value, validUntil }) => [value, validUntil]);

  it('is accepted beside the old one, then given to the provider; the old one goes an hour later', async () => {
    await world.startReady();
    world.github.refuse(500, /^PATCH/);
    world.secret({ accessToken: 'token', secretToken: 'next' });
    await world.becomes('Ready=False ReconciliationFailed');
    expect(tokens()).toEqual([
      ['next', undefined],
      ['s3cret', undefined],
    ]);
    world.github.refuse(undefined);
    await world.becomes('Ready=True');
    expect(world.github.hooks[0]?.config.secret).toBe('next');
    await world.holds(() =>
      expect(tokens()).toEqual([
        ['next', undefined],
        ['s3cret', '2026-01-01T01:00:00.000Z'],
      ]),
    );
    world.now = new Date('2026-01-01T01:00:01Z');
    await world.lookAgain();
    await world.holds(() => expect(tokens()).toEqual([['next', undefined]]));
  });

  it('leaves the route in time, without any change', async () => {
    await world.startReady({}, { secretOverlapMs: 30 });
    world.secret({ accessToken: 'token', secretToken: 'next' });
    await world.holds(() => expect(tokens()).toHaveLength(2));
    await world.holds(() => {
      world.now = new Date(world.now.getTime() + 1000);
      expect(tokens()).toEqual([['next', undefined]]);
    });
  });

  it('twice within the hour: all three are accepted', async () => {
    await world.startReady();
    for (const secretToken of ['second', 'third']) {
      world.secret({ accessToken: 'token', secretToken });
      await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe(secretToken));
    }
    await world.holds(() =>
      expect(tokens()?.map(([value, until]) => [value, until !== undefined])).toEqual([
        ['third', false],
        ['second', true],
        ['s3cret', true],
      ]),
    );
  });

  it('across a restart of the controller in the middle', async () => {
    await world.startReady();
    world.github.refuse(500, /^PATCH/);
    world.secret({ accessToken: 'token', secretToken: 'next' });
    await world.becomes('Ready=False ReconciliationFailed');
    world.github.refuse(undefined);
    await world.restart();
    await world.becomes('Ready=True');
    expect(tokens()?.map(([value]) => value)).toEqual(['next', 's3cret']);
  });

  it('of the access token alone does not write the webhook', async () => {
    await world.startReady();
    world.secret({ accessToken: 'token2', secretToken: 's3cret' });
    await world.lookAgain();
    expect(writes()).toEqual(['POST /repos/octo/hello/hooks']);
  });
});

describe('at the provider', () => {
  it('a webhook removed by hand is made again', async () => {
    await world.startReady();
    world.github.hooks.length = 0;
    await world.lookAgain();
    await world.holds(() => expect(world.github.hooks).toHaveLength(1));
    await world.holds(() => expect(world.status().webhookIDKey).toBe('4002'));
    expect(reasons()).toContain('Warning WebhookRestored');
  });

  it('a webhook made again by hand gets our secret, which nobody can read there', async () => {
    await world.startReady();
    for (const hook of world.github.hooks.splice(0))
      world.github.hooks.push({ ...hook, id: 9, config: { ...hook.config, secret: 'theirs' } });
    await world.lookAgain();
    await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe('s3cret'));
    await world.holds(() => expect(world.status().webhookIDKey).toBe('9'));
    expect(world.github.hooks).toHaveLength(1);
  });

  it('a webhook edited by hand is written as it should be', async () => {
    await world.startReady();
    const [hook] = world.github.hooks;
    if (hook) hook.events = ['fork'];
    await world.lookAgain();
    await world.holds(() => expect(reasons()).toContain('Warning WebhookRestored'));
    expect(world.github.hooks[0]?.events).toEqual(['push', 'issues']);
  });

  it('is looked at from time to time', async () => {
    await world.startReady({}, { hookCheckMs: 20, now: () => new Date() });
    world.github.hooks.length = 0;
    await world.holds(() => expect(world.github.hooks).toHaveLength(1));
  });

  it('a private one, named with a slash at its end', async () => {
    await world.open();
    await world.startReady({ githubAPIURL: `${world.api}//` });
    expect(world.github.calls.filter((call) => call.includes('//'))).toEqual([]);
    expect(world.status().hooks?.[0]?.api).toBe(world.api);
  });

  const troubles: { name: string; status: number; headers?: Record<string, string>; message: RegExp }[] = [
    { name: 'a token it does not know', status: 401, message: /401.*put a valid one into the Secret/ },
    { name: 'a token that may not', status: 403, message: /403.*admin:repo_hook/ },
    { name: 'no such repository', status: 404, message: /404.*check ownerAndRepository/ },
    { name: 'a webhook it refuses', status: 422, message: /422.*check eventTypes/ },
    { name: 'trouble of its own', status: 500, message: /500.*tried again/ },
    { name: 'no quota left', status: 403, headers: { 'retry-after': '1' }, message: /quota is used up/ },
  ];
  for (const { name, status, headers, message } of troubles) {
    it(`${name}: said with what to change, and mended without restart`, async () => {
      await world.start();
      world.github.refuse(status, /./, headers);
      world.secret({ accessToken: 'token', secretToken: 's3cret' });
      world.broker('http://broker.example.com/');
      world.source();
      await world.becomes('Ready=False CreationFailed');
      expect(world.message('WebhookConfigured')).toMatch(message);
      expect(world.message('WebhookConfigured')).not.toContain('token"');
      expect(world.condition('Deployed')).toBe('Deployed=True');
      world.github.refuse(undefined);
      world.secret({ accessToken: 'token2', secretToken: 's3cret' });
      await world.becomes('Ready=True');
    });
  }

  it('nobody there', async () => {
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({ githubAPIURL: 'http://127.0.0.1:1/' });
    await world.becomes('Ready=False CreationFailed');
    expect(world.message('Ready')).toContain('check githubAPIURL');
    world.source();
    await world.becomes('Ready=True');
  });

  it('an owner or an API that is none is not called', async () => {
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    for (const spec of [
      { ownerAndRepository: 'a/b/c' },
      { ownerAndRepository: '../user' },
      { ownerAndRepository: 'octo/..' },
      { githubAPIURL: 'ftp://x' },
      { githubAPIURL: 'http://user:secret@127.0.0.1/' },
    ]) {
      world.source(spec);
      await world.becomes('Ready=False CreationFailed');
      await world.holds(() => expect(world.status().observedGeneration).toBe(world.object()?.metadata.generation));
      expect(world.message('Ready')).toMatch(/must be/);
    }
    expect(world.github.calls).toEqual([]);
  });
});
