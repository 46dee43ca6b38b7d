import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Route } from '../../core/route.ts';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { aToken } from '../support/token-issuer.ts';
import { RealWorld } from './support/real-world.ts';

const AUDIENCE = 'https://broker.example.com/';
const ACCOUNT = 'hello-oidc-sources.knative.dev-githubsource';
const OVERLAY = join(import.meta.dirname, '../../config/oidc');

interface Claims {
  readonly aud: readonly string[];
  readonly sub: string;
  readonly iat: number;
  readonly exp: number;
}

let world: RealWorld;
let sink: FakeSink;
let folder: string;
beforeAll(async () => {
  world = new RealWorld();
  sink = await FakeSink.start();
  folder = await mkdtemp(join(tmpdir(), 'headwater-e2e-oidc-'));
  await world.start({ LEASE_MS: '60000', LEASE_RENEW_DEADLINE_MS: '50000' });
  await world.apply(
    world.secret({ accessToken: 'token', secretToken: 's3cret' }),
    world.source({ sink: { uri: sink.url('/broker'), audience: AUDIENCE } }),
  );
});
afterAll(async () => {
  // The other files are to be without it.
  await world.kubectl('delete', '-f', OVERLAY, '--ignore-not-found');
  await world.stop();
  await sink.close();
  await rm(folder, { recursive: true, force: true });
});

async function routeSecretName(): Promise<string> {
  return `route-${(await world.object())?.metadata.uid}`;
}

async function publishedRoute(): Promise<Route> {
  const text = await world.kubectl('get', 'secret', await routeSecretName(), '-n', 'headwater-routes', '-o', 'json');
  const [data] = Object.values((JSON.parse(text) as { data: Record<string, string> }).data);
  return JSON.parse(Buffer.from(data ?? '', 'base64').toString('utf8')) as Route;
}

/** As somebody who may write routes. */
async function overwriteRoute(route: Route): Promise<void> {
  const patch = JSON.stringify({ stringData: { [`${route.uid}.json`]: JSON.stringify(route) } });
  const name = await routeSecretName();
  await world.kubectl('patch', 'secret', name, '-n', 'headwater-routes', '--type=merge', '-p', patch);
}

/** The token the sink gets with an event. */
async function tokenSent(): Promise<string> {
  const { webhookURL = '' } = await world.status();
  const { headers, body } = simulator.deliver({ eventType: 'push', payload: { compare: 'a' } }, 's3cret');
  const reply = await fetch(webhookURL, { method: 'POST', headers, body: new Uint8Array(body) });
  expect(reply.status).toBe(202);
  const { authorization = '' } = sink.received.at(-1)?.headers ?? {};
  expect(authorization).toMatch(/^Bearer \S+$/);
  return authorization.slice('Bearer '.length);
}

function claimsIn(token: string): Claims {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Claims;
}

/** What the API server says of a token, asked as a sink asks. */
async function review(token: string, audience: string): Promise<object> {
  const file = join(folder, 'review.json');
  const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' };
  await writeFile(file, JSON.stringify({ ...kind, spec: { token, audiences: [audience] } }));
  const path = '/apis/authentication.k8s.io/v1/tokenreviews';
  return (JSON.parse(await world.kubectl('create', '--raw', path, '-f', file)) as { status: object }).status;
}

const accounts = () =>
  world.kubectl('get', 'serviceaccount', ACCOUNT, '-n', world.namespace, '-o', 'name', '--ignore-not-found');

describe('a GitHubSource whose sink has an audience', () => {
  it('without config/oidc is not ready, and says what to apply', async () => {
    const { conditions, auth } = await world.becomes('Ready=False TokenForbidden');
    const { message } = conditions?.find(({ type }) => type === 'SinkProvided') ?? {};
    expect(message).toContain('apply config/oidc, or give its ServiceAccount create and patch on serviceaccounts');
    expect(auth).toBeUndefined();
    expect(world.github.hooks).toEqual([]);
    expect(await accounts()).toBe('');
  });

  it('with it, sends the token of its own ServiceAccount, which the API server takes for the audience', async () => {
    await world.kubectl('apply', '-f', OVERLAY);
    const { auth } = await world.becomes('Ready=True');
    expect(auth).toEqual({ serviceAccountName: ACCOUNT });
    const token = await tokenSent();
    const { aud, sub, iat, exp } = claimsIn(token);
    const username = `system:serviceaccount:${world.namespace}:${ACCOUNT}`;
    expect({ aud, sub, life: exp - iat }).toEqual({ aud: [AUDIENCE], sub: username, life: 3600 });
    expect(await review(token, AUDIENCE)).toMatchObject({
      authenticated: true,
      audiences: [AUDIENCE],
      user: { username },
    });
    expect(await review(token, 'https://another.example.com/')).not.toMatchObject({ authenticated: true });
  });

  it('keeps its token over a restart of the controller, and has it renewed late in its life', async () => {
    const token = await tokenSent();
    const before = await publishedRoute();
    await world.controller.end();
    const now = Math.floor(Date.now() / 1000);
    const late = aToken({ aud: [AUDIENCE], iat: now - 2500, exp: now + 1100 });
    await overwriteRoute({ ...before, sink: { url: before.sink?.url ?? '', ...before.sink, token: late } });
    world.startController();
    await world.holds(async () => expect([token, late]).not.toContain((await publishedRoute()).sink?.token));
    const renewed = await publishedRoute();
    expect(renewed.generation).toBe(before.generation);
    await world.holds(async () => expect(await tokenSent()).toBe(renewed.sink?.token));
    expect(await review(await tokenSent(), AUDIENCE)).toMatchObject({ authenticated: true });
    await world.controller.end();
    const calls = world.github.calls.length;
    // It compares the webhook within that time, and so looks at the source.
    world.startController({ HOOK_CHECK_MS: '1000' });
    await world.holds(() => expect(world.github.calls.length).toBeGreaterThan(calls));
    expect(await publishedRoute()).toEqual(renewed);
    expect((await world.status()).conditions?.map(({ status }) => status)).not.toContain('False');
  });

  it('owns the ServiceAccount, which goes with it', async () => {
    const text = await world.kubectl('get', 'serviceaccount', ACCOUNT, '-n', world.namespace, '-o', 'json');
    const { uid } = (await world.object())?.metadata ?? {};
    expect(JSON.parse(text)).toMatchObject({
      metadata: {
        labels: { 'app.kubernetes.io/managed-by': 'headwater' },
        ownerReferences: [{ kind: 'GitHubSource', name: 'hello', uid, controller: true }],
      },
    });
    await world.kubectl('delete', 'githubsource', 'hello', '-n', world.namespace, '--timeout=20s');
    await world.holds(async () => expect(await accounts()).toBe(''));
  });

  it('was controlled without errors', () => {
    const lines = world.parts
      .flatMap(({ log }) => log.trim().split('\n'))
      .map((line) => JSON.parse(line) as { level: string; msg: string; error?: string });
    const wrong = lines.filter(({ level }) => !['debug', 'info'].includes(level));
    expect(wrong.map(({ msg, error }) => `${msg}: ${error}`)).toEqual([]);
  });
});
