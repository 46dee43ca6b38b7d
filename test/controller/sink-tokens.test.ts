import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FIRST_GENERATION, UID, World } from '../support/world.ts';

const ACCOUNT = 'hello-oidc-sources.knative.dev-githubsource';
const START = Date.parse('2026-01-01T00:00:00Z');
const SINK = { uri: 'https://sink.example.com/', audience: 'me' };

let world: World;
beforeEach(() => {
  world = new World();
  world.tokens.mode = 'giving';
});
afterEach(() => world.end());

const route = () => world.routes.get(UID);
const at = (seconds: number) => void (world.now = new Date(START + seconds * 1000));
const tokenNumber = (token: string | undefined) => {
  const claims = JSON.parse(Buffer.from(token?.split('.')[1] ?? 'bnVsbA', 'base64url').toString()) as { jti?: string };
  return claims?.jti;
};

describe('a sink with an audience', () => {
  it('gets a token of the ServiceAccount of the source, and status says of which', async () => {
    await world.startReady({ sink: SINK });
    expect(world.tokens.requests).toEqual(['me']);
    expect(route()?.sink).toEqual({ url: SINK.uri, audience: 'me', token: expect.stringContaining('.') });
    expect(world.status()).toMatchObject({ sinkAudience: 'me', auth: { serviceAccountName: ACCOUNT } });
    expect(JSON.stringify(world.status())).not.toContain(route()?.sink?.token);
  });

  it('keeps its token for two thirds of its life, whoever looks', async () => {
    await world.startReady({ sink: SINK });
    const first = route();
    // Each look is ten minutes later.
    at(1199);
    await world.lookAgain();
    await world.restart();
    await world.lookAgain();
    expect(world.tokens.requests).toEqual(['me']);
    expect(route()).toEqual(first);
  });

  it('then gets another, for which nobody waits and nothing is written at the provider', async () => {
    await world.startReady({ sink: SINK });
    const before = route();
    const conditions = world.status().conditions;
    const hooks = world.github.calls.filter((call) => !call.startsWith('GET '));
    at(2400);
    // Adapters that have not followed yet.
    world.served = new Map([[UID, before]]);
    await world.lookAgain();
    await world.holds(() => expect(tokenNumber(route()?.sink?.token)).toBe('2'));
    await world.lookAgain();
    expect(route()).toEqual({ ...before, sink: { ...before?.sink, token: route()?.sink?.token } });
    expect(world.status().conditions).toEqual(conditions);
    expect(world.github.calls.filter((call) => !call.startsWith('GET '))).toEqual(hooks);
    expect(world.announcements.map(({ reason }) => reason)).toEqual(['WebhookCreated', 'Ready']);
  });

  it('is waited for when the token adapters have has ended', async () => {
    await world.startReady({ sink: SINK });
    world.served = new Map([[UID, route()]]);
    at(3600);
    await world.restart();
    await world.becomes('Ready=Unknown RouteNotServed');
    expect(tokenNumber(route()?.sink?.token)).toBe('2');
    world.served = undefined;
    await world.becomes('Ready=True');
  });

  it('is looked at when its token is to be renewed', async () => {
    // Nothing else brings it within ten minutes.
    world.tokens.lifeS = 0.3;
    await world.startReady({ sink: SINK });
    world.now = new Date(START + 200);
    await world.holds(() => expect(tokenNumber(route()?.sink?.token)).toBe('2'));
  });

  it('does not keep its webhook from being compared with the provider as ever', async () => {
    await world.startReady({ sink: SINK }, { hookCheckMs: 20 });
    const calls = world.github.calls.length;
    await world.holds(() => {
      world.now = new Date(world.now.getTime() + 20);
      expect(world.github.calls.length).toBeGreaterThan(calls + 2);
    });
    expect(world.tokens.requests).toEqual(['me']);
  });

  it('gets another token for another audience, and none for none', async () => {
    await world.startReady({ sink: SINK });
    const before = route()?.generation ?? 0;
    world.source({ sink: { ...SINK, audience: 'you' } });
    await world.holds(() => expect(route()?.sink?.audience).toBe('you'));
    expect(world.tokens.requests).toEqual(['me', 'you']);
    expect(route()).toMatchObject({ generation: before + 1, sink: { token: expect.stringContaining('.') } });
    world.source({ sink: { uri: SINK.uri } });
    await world.holds(() => expect(world.status().sinkAudience).toBeUndefined());
    expect(route()?.sink).toEqual({ url: SINK.uri });
    expect(world.status().auth).toBeUndefined();
  });
});

describe('a token that cannot be renewed', () => {
  const troubles = [
    { mode: 'failing', why: 'the API server is busy' },
    { mode: 'forbidden', why: 'apply config/oidc' },
  ] as const;
  for (const { mode, why } of troubles) {
    it(`stays while it is good, and that is said: ${mode}`, async () => {
      await world.startReady({ sink: SINK });
      const before = route();
      world.tokens.mode = mode;
      at(2400);
      await world.lookAgain();
      await world.becomes('SinkProvided=True TokenNotRenewed');
      expect(world.message('SinkProvided')).toContain('ends at 2026-01-01T01:00:00.000Z');
      expect(world.message('SinkProvided')).toContain(why);
      expect(world.condition('Ready')).toBe('Ready=True');
      expect(route()).toEqual(before);
      // Nothing but the back-off brings these.
      await world.holds(() => expect(world.tokens.requests.length).toBeGreaterThan(3));
      world.tokens.mode = 'giving';
      await world.becomes('SinkProvided=True');
      expect(route()?.sink?.token).not.toBe(before?.sink?.token);
      expect(world.condition('Ready')).toBe('Ready=True');
    });
  }

  it('and has ended is no token', async () => {
    await world.startReady({ sink: SINK });
    world.tokens.mode = 'forbidden';
    await world.restart({}, () => at(3600));
    await world.becomes('Ready=False TokenForbidden');
    expect(route()?.sink).toBeNull();
    expect(world.status().auth).toEqual({ serviceAccountName: ACCOUNT });
    world.tokens.mode = 'giving';
    await world.restart();
    await world.becomes('Ready=True');
    expect(tokenNumber(route()?.sink?.token)).toBe(String(world.tokens.requests.length));
  });
});

describe('without the right to request tokens', () => {
  it('the source is not ready, says what to apply, and is when it was given', async () => {
    world.tokens.mode = 'forbidden';
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.source({ sink: SINK });
    await world.becomes('Ready=False TokenForbidden');
    expect(world.condition('SinkProvided')).toBe('SinkProvided=False TokenForbidden');
    expect(world.message('Ready')).toBe(
      'the controller may request no OIDC token for audience "me": apply config/oidc, or give its ServiceAccount create on serviceaccounts/token',
    );
    expect(world.github.hooks).toEqual([]);
    expect(world.status().auth).toBeUndefined();
    world.tokens.mode = 'giving';
    await world.restart();
    await world.becomes('Ready=True');
  });

  it('nor an API server to ask, it is not known whether events could be sent', async () => {
    world.tokens.mode = 'failing';
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.source({ sink: SINK });
    await world.becomes('Ready=Unknown InternalError');
    world.tokens.mode = 'giving';
    await world.becomes('Ready=True');
    expect(world.errors.splice(0)).not.toEqual([]);
  });

  for (const { name, sink } of [
    { name: 'a sink without audience needs none', sink: { uri: SINK.uri } },
    { name: 'an empty audience is none', sink: { uri: SINK.uri, audience: '' } },
  ]) {
    it(name, async () => {
      world.tokens.mode = 'forbidden';
      await world.startReady({ sink });
      expect(world.tokens.requests).toEqual([]);
      expect(route()?.sink).toEqual({ url: SINK.uri });
    });
  }
});

describe('a dead-letter sink with an audience', () => {
  const spec = { sink: { uri: SINK.uri }, delivery: { deadLetterSink: { ...SINK, audience: 'dead' } } };

  it('gets a token, and its renewal', async () => {
    await world.startReady(spec);
    expect(route()?.sink).toEqual({ url: SINK.uri });
    expect(route()?.deadLetterSink).toMatchObject({ audience: 'dead', token: expect.stringContaining('.') });
    expect(world.status().auth).toEqual({ serviceAccountName: ACCOUNT });
    at(2400);
    await world.lookAgain();
    await world.holds(() => expect(tokenNumber(route()?.deadLetterSink?.token)).toBe('2'));
    expect(route()?.generation).toBe(FIRST_GENERATION);
  });

  it('without the right, is said to be the one', async () => {
    world.tokens.mode = 'forbidden';
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.source(spec);
    await world.becomes('Ready=False TokenForbidden');
    expect(world.message('Ready')).toMatch(/^spec\.delivery\.deadLetterSink: the controller may request no OIDC token/);
  });

  it('that is gone: the token of the sink is renewed all the same', async () => {
    const dead = { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' }, audience: 'dead' };
    await world.startReady({ sink: SINK, delivery: { deadLetterSink: dead } });
    at(2400);
    world.cluster.delete({ apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', namespace: 'demo', name: 'default' });
    await world.becomes('Ready=False NotFound');
    expect(tokenNumber(route()?.sink?.token)).toBe('3');
    expect(route()).toMatchObject({ generation: FIRST_GENERATION, deadLetterSink: { audience: 'dead' } });
    expect(world.status().auth).toEqual({ serviceAccountName: ACCOUNT });
  });
});

it('a Secret that is gone: the token is renewed all the same', async () => {
  await world.startReady({ sink: SINK });
  at(2400);
  world.cluster.delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name: 'github' });
  await world.becomes('Ready=False AccessTokenNotFound');
  expect(tokenNumber(route()?.sink?.token)).toBe('2');
});
