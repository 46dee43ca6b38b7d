import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Route } from '../../core/route.ts';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { RealWorld } from './support/real-world.ts';

/** A second or so; a busy machine takes longer. */
const SOON_MS = 10_000;

let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  world = new RealWorld();
  sink = await FakeSink.start();
  await world.start({ ROUTE_SWEEP_MS: '500', LEASE_MS: '60000', LEASE_RENEW_DEADLINE_MS: '50000' });
});
afterAll(async () => {
  await world.stop();
  await sink.close();
});

const patch = (body: object) =>
  world.kubectl('patch', 'githubsource', 'hello', '-n', world.namespace, '--type=merge', '-p', JSON.stringify(body));

/** How many requests about GitHubSources the API server has answered; watches and lists are not among them. */
async function requestsAboutSources(): Promise<number> {
  const metrics = await world.kubectl('get', '--raw', '/metrics');
  const ofSources = /^apiserver_request_total\{.*resource="githubsources".*verb="(?:GET|PATCH|APPLY|PUT)".*\} (\d+)$/gm;
  return [...metrics.matchAll(ofSources)].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('kubectl apply of a GitHubSource', () => {
  it('leads to Ready=True, a webhook, and deliveries byte for byte', async () => {
    const status = await world.ready(sink.url('/broker'));
    const { uid } = (await world.object())?.metadata ?? {};
    expect(world.github.hooks).toEqual([
      expect.objectContaining({
        repository: 'octo/hello',
        active: true,
        events: ['push', 'issues'],
        config: { url: `${world.adapterUrl}/hooks/${uid}`, content_type: 'json', insecure_ssl: '0', secret: 's3cret' },
      }),
    ]);
    expect(status).toMatchObject({
      observedGeneration: 1,
      sinkUri: sink.url('/broker'),
      webhookURL: `${world.adapterUrl}/hooks/${uid}`,
      webhookIDKey: '4001',
    });
    expect(status.ceAttributes).toHaveLength(2);
    const payload = simulator.recordedEvents.find(({ eventType }) => eventType === 'push')?.payload ?? {};
    const delivery = simulator.deliver({ eventType: 'push', payload, form: 'indented' }, 's3cret');
    const reply = await fetch(`${world.adapterUrl}/hooks/${uid}`, {
      method: 'POST',
      headers: delivery.headers,
      body: new Uint8Array(delivery.body),
    });
    expect(reply.status).toBe(202);
    expect(sink.received.at(-1)?.body.equals(delivery.data)).toBe(true);
    expect(sink.received.at(-1)?.headers['ce-type']).toBe('dev.knative.source.github.push');
  });

  it('is left alone while nothing changes', async () => {
    const activity = async () => [await requestsAboutSources(), world.github.calls.length];
    await world.holds(async () => {
      const before = await activity();
      expect(before[0]).toBeGreaterThan(3);
      expect(await activity()).toEqual(before);
    }, SOON_MS);
  });

  it('is shown by kubectl', async () => {
    const table = await world.kubectl('get', 'githubsources', '-n', world.namespace);
    expect(table.split('\n')[0]?.split(/ {2,}/)).toEqual(['NAME', 'READY', 'REASON', 'URL', 'SINK', 'AGE']);
    expect(table).toMatch(
      new RegExp(`^hello +True +http://127.0.0.1:\\d+/hooks/\\S+ +${sink.url('/broker')} +\\d+s$`, 'm'),
    );
    const explained = (await world.kubectl('explain', 'githubsource.spec')).replace(/[ \t]+$/gm, '').trimEnd();
    const page = await readFile(join(import.meta.dirname, '../../docs/sources/githubsource.md'), 'utf8');
    expect(page).toContain(`$ kubectl explain githubsource.spec\n${explained}\n\`\`\``);
    const events = await world.kubectl('get', 'events', '-n', world.namespace, '-o', 'jsonpath={.items[*].reason}');
    expect(events.split(' ').toSorted()).toEqual(expect.arrayContaining(['Ready', 'WebhookCreated']));
  });

  it('follows edits of the spec, the sink and the Secret within a second or so', async () => {
    // "kubectl apply" would change an annotation besides.
    await patch({ spec: { eventTypes: ['star'] } });
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['star']), SOON_MS);
    await world.broker(sink.url('/moved'));
    await world.holds(async () => expect((await world.status()).sinkUri).toBe(sink.url('/moved')), SOON_MS);
    await world.apply(world.secret({ accessToken: 'token', secretToken: 'next' }));
    await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe('next'), SOON_MS);
    expect(world.github.hooks).toHaveLength(1);
  });

  it('a route that somebody overwrote or removed is put right at once, the webhook left alone', async () => {
    const { uid = '' } = (await world.object())?.metadata ?? {};
    const route = ['secret', `route-${uid}`, '-n', 'headwater-routes'];
    const writes = () => world.github.calls.filter((call) => !call.startsWith('GET')).length;
    const written = writes();
    const half = Buffer.from('{"secretTokens":[{"value":hunter2').toString('base64');
    await world.kubectl('patch', ...route, '--type=merge', '-p', JSON.stringify({ data: { [`${uid}.json`]: half } }));
    const isBack = async () => {
      const data = JSON.parse(await world.kubectl('get', ...route, '-o', 'jsonpath={.data}')) as Record<string, string>;
      const { eventTypes } = JSON.parse(Buffer.from(data[`${uid}.json`] ?? '', 'base64').toString()) as Route;
      expect(eventTypes).toEqual(['star']);
    };
    await world.holds(isBack, SOON_MS);
    await world.kubectl('label', ...route, 'headwater.dev/route-');
    await world.holds(async () => {
      const label = ['-o', 'jsonpath={.metadata.labels.headwater\\.dev/route}'];
      expect(await world.kubectl('get', ...route, ...label)).toBe('true');
    }, SOON_MS);
    await world.kubectl('delete', ...route);
    await world.holds(isBack, SOON_MS);
    await world.becomes('Ready=True');
    expect(writes()).toBe(written);
  });

  it('a sink that goes is 503 for deliveries and said; and back', async () => {
    await world.kubectl('delete', 'broker', 'default', '-n', world.namespace);
    await world.becomes('Ready=False NotFound');
    const url = (await world.status()).webhookURL ?? '';
    const delivery = simulator.deliver({ eventType: 'star', payload: { action: 'created' } }, 'next');
    const send = () => fetch(url, { method: 'POST', headers: delivery.headers, body: new Uint8Array(delivery.body) });
    await world.holds(async () => expect((await send()).status).toBe(503));
    await world.broker(undefined);
    await world.becomes('Ready=False NotAddressable', 'hello', SOON_MS);
    expect((await send()).status).toBe(503);
    await world.broker(sink.url('/back'));
    await world.becomes('Ready=True');
    expect((await send()).status).toBe(202);
  });

  it('deleting it removes webhook, route and object', async () => {
    await world.kubectl('delete', 'githubsource', 'hello', '-n', world.namespace, '--timeout=20s');
    expect(world.github.hooks).toEqual([]);
    expect(await world.kubectl('get', 'secrets', '-n', 'headwater-routes', '-o', 'name')).toBe('');
  });

  it('a route whose source lost its finalizer is swept', async () => {
    await world.ready(sink.url('/again'));
    world.controller.signal('SIGSTOP');
    await patch({ metadata: { finalizers: null } });
    await world.kubectl('delete', 'githubsource', 'hello', '-n', world.namespace, '--timeout=20s');
    expect(await world.kubectl('get', 'secrets', '-n', 'headwater-routes', '-o', 'name')).not.toBe('');
    world.controller.signal('SIGCONT');
    await world.holds(async () =>
      expect(await world.kubectl('get', 'secrets', '-n', 'headwater-routes', '-o', 'name')).toBe(''),
    );
  });

  it('wrote without being refused', () => {
    const lines = world.controller.log
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string; error?: string });
    // Of the test before.
    const swept = 'route of a source that is gone removed';
    expect(
      lines
        .filter(({ level, msg }) => (level === 'error' || level === 'warn') && msg !== swept)
        .map(({ msg, error }) => `${msg}: ${error}`),
    ).toEqual([]);
  });
});
