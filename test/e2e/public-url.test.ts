import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { SourceObject } from '../../controller/objects.ts';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { gatewayCrds } from './support/gateway-crds.ts';
import { RealWorld } from './support/real-world.ts';

/** More than are moved at once. */
const NAMES = Array.from({ length: 13 }, (_, index) => `source-${index}`);
const PER_MINUTE = 30;
const INFRA = { namespace: 'infra', name: 'public' };
const HOST = 'hooks.example.com';

const started = new AsyncDisposableStack();
const world = new RealWorld();
let sink: FakeSink;
/** Those that were written, since it was emptied. */
let moves: { readonly at: number; readonly status: number }[] = [];
let hadGateways = false;

beforeAll(async () => {
  sink = await FakeSink.start();
  started.defer(() => sink.close());
  await world.open();
  started.defer(() => world.stop());
  hadGateways = (await world.kubectl('get', 'crd', '-o', 'name')).includes('httproutes.gateway.networking.k8s.io');
  started.defer(async () => {
    if (!hadGateways) await gatewayApi('delete', '--ignore-not-found');
    const made = ['ingress/hooks', 'services.serving.knative.dev/headwater-hooks'];
    await world.kubectl('delete', ...made, '-n', 'headwater', '--ignore-not-found');
    await world.kubectl('delete', 'namespace', INFRA.namespace, '--ignore-not-found', '--wait=false');
  });
  world.onExchange = ({ method, status }) => {
    if (method === 'PATCH') moves.push({ at: performance.now(), status });
  };
  await world.start({
    PUBLIC_URL: '',
    ADDRESS_SETTLE_MS: '300',
    HOOK_MOVES_PER_MINUTE: String(PER_MINUTE),
    // A machine that is slow for two seconds is not to end the controller.
    LEASE_MS: '30000',
    LEASE_RENEW_DEADLINE_MS: '20000',
  });
  await world.broker(sink.url('/broker'));
  await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }));
  await world.apply(...NAMES.map((name) => world.source({}, name)));
});
afterAll(() => started.disposeAsync());

async function gatewayApi(verb: string, ...flags: string[]): Promise<void> {
  for (const file of await gatewayCrds()) await world.kubectl(verb, ...flags, '-f', file);
  if (verb === 'delete') return;
  for (const plural of ['gateways', 'httproutes'])
    await world.holds(async () => void (await world.kubectl('get', `${plural}.gateway.networking.k8s.io`, '-A')));
}

/** What docs/install.md has users write. */
async function documented(kind: string, change: (text: string) => string = (text) => text): Promise<object> {
  const page = await readFile(join(import.meta.dirname, '../../docs/install.md'), 'utf8');
  const blocks = [...page.matchAll(/```yaml\n([^`]*)```/g)].map(([, text = '']) => text);
  return parse(change(blocks.find((text) => text.includes(`kind: ${kind}\n`)) ?? '')) as object;
}

async function objects(): Promise<readonly SourceObject[]> {
  const text = await world.kubectl('get', 'githubsources', '-n', world.namespace, '-o', 'json');
  return (JSON.parse(text) as { items: SourceObject[] }).items;
}
const ready = ({ status }: SourceObject) => {
  const found = status?.conditions?.find(({ type }) => type === 'Ready');
  return `${found?.status}${found?.reason ? ` ${found.reason}` : ''}`;
};
const hookIds = () => world.github.hooks.map(({ id }) => id).toSorted();

/** Every source says it, and each has one webhook there, which status tells. */
async function allAt(base: string, says = 'True', timeout = 60_000): Promise<void> {
  await world.holds(async () => {
    const found = await objects();
    const said = [...new Set(found.map(ready))].join(', ');
    if (said !== says) throw new Error(`${said}\n${world.controller.log.slice(-1500)}`);
    const urls = found.map(({ metadata: { uid } }) => `${base}/hooks/${uid}`).toSorted();
    expect(world.github.hooks.map(({ config: { url } }) => url).toSorted()).toEqual(urls);
    expect(found.map(({ status }) => status?.webhookURL).toSorted()).toEqual(urls);
  }, timeout);
}

async function gateway(listener: object): Promise<void> {
  const spec = {
    gatewayClassName: 'any',
    listeners: [{ name: 'all', allowedRoutes: { namespaces: { from: 'All' } }, ...listener }],
  };
  const object = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway', metadata: { name: INFRA.name }, spec };
  await world.applyIn(INFRA.namespace, object);
}

/** As the Gateway's own controller says it. */
async function routeIs(accepted: 'True' | 'False'): Promise<void> {
  const condition = {
    status: accepted,
    lastTransitionTime: new Date().toISOString(),
    message: '',
    observedGeneration: 1,
  };
  const conditions = [
    { ...condition, type: 'Accepted', reason: accepted === 'True' ? 'Accepted' : 'NotAllowedByListeners' },
    { ...condition, type: 'ResolvedRefs', reason: 'ResolvedRefs', status: 'True' },
  ];
  const status = { parents: [{ parentRef: INFRA, controllerName: 'example.com/gateways', conditions }] };
  const patch = JSON.stringify({ status });
  await world.kubectl(
    'patch',
    'httproute',
    'hooks',
    '-n',
    'headwater',
    '--subresource=status',
    '--type=merge',
    '-p',
    patch,
  );
}

describe('the public address', () => {
  it('is missed, and status says what would help', async () => {
    for (const name of NAMES) await world.becomes('Ready=False NoPublicAddress', name);
    const { conditions = [] } = await world.status(NAMES[0]);
    const message = conditions.find(({ type }) => type === 'Deployed')?.message;
    expect(message).toContain('set PUBLIC_URL of the controller');
    expect(message).toContain('port 80 of Service headwater/headwater-adapter');
    expect(message).not.toContain('may not read');
    expect(world.github.hooks).toEqual([]);
  });

  it('is found by the Ingress of docs/install.md', async () => {
    await world.applyIn('headwater', await documented('Ingress'));
    await allAt(`https://${HOST}`);
    expect(world.github.hooks).toHaveLength(NAMES.length);
  });

  it('that changes moves all webhooks, some at a time, and each source says that it waits', async () => {
    const ids = hookIds();
    moves = [];
    await world.applyIn('headwater', await documented('Ingress', (text) => text.replaceAll(HOST, 'moved.example.com')));
    await world.holds(async () => {
      const waiting = (await objects()).filter((one) => ready(one) === 'Unknown WebhookMoving');
      expect(waiting.length).toBeGreaterThan(0);
      for (const { metadata, status } of waiting)
        expect(status?.webhookURL).toBe(`https://${HOST}/hooks/${metadata.uid}`);
    });
    await allAt('https://moved.example.com');
    expect(hookIds()).toEqual(ids);
    expect(moves.map(({ status }) => status)).toEqual(NAMES.map(() => 200));
    const [first, last] = [moves[0], moves.at(-1)];
    // Three after the first ten; the look of the first began a moment before it was written.
    const leastMs = (NAMES.length - 10) * (60_000 / PER_MINUTE);
    expect((last?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(leastMs - 1000);
  });

  it('stays what it is when the Gateway API is installed, and an HTTPRoute comes beside it', async () => {
    await world.controller.end();
    moves = [];
    world.startController({ HOOK_MOVES_PER_MINUTE: '6000' });
    await gatewayApi('apply', '--server-side');
    await world.kubectl('create', 'namespace', INFRA.namespace);
    await gateway({ protocol: 'HTTPS', port: 443, tls: { certificateRefs: [{ name: 'certificate' }] } });
    await world.applyIn('headwater', await documented('HTTPRoute'));
    await routeIs('True');
    await world.apply(world.source({}, 'after'));
    await world.becomes('Ready=True', 'after');
    expect((await world.status('after')).webhookURL).toContain('https://moved.example.com/hooks/');
    expect(moves).toEqual([]);
  });

  it('is that of the HTTPRoute when the Ingress goes', async () => {
    const ids = hookIds();
    await world.kubectl('delete', 'ingress', 'hooks', '-n', 'headwater');
    await allAt(`https://${HOST}`);
    expect(hookIds()).toEqual(ids);
  });

  it('brings deliveries', async () => {
    await world.applyIn('headwater', await documented('HTTPRoute', (text) => text.replaceAll(HOST, 'localhost')));
    await gateway({ protocol: 'HTTP', port: Number(new URL(world.adapterUrl).port) });
    const base = world.adapterUrl.replace('127.0.0.1', 'localhost');
    await allAt(base);
    const before = sink.received.length;
    const { headers, body } = simulator.deliver({ eventType: 'push', payload: { compare: 'x' } }, 's3cret');
    const url = world.github.hooks[0]?.config.url ?? '';
    const { status } = await fetch(url.replace('localhost', '127.0.0.1'), {
      method: 'POST',
      headers,
      body: new Uint8Array(body),
    });
    expect({ status, received: sink.received.length }).toEqual({ status: 202, received: before + 1 });
  });

  it('that goes leaves webhooks as they are, which status says', async () => {
    const base = world.adapterUrl.replace('127.0.0.1', 'localhost');
    const ids = hookIds();
    await routeIs('False');
    await allAt(base, 'False NoPublicAddress');
    const { conditions = [] } = await world.status('after');
    const message = conditions.find(({ type }) => type === 'Ready')?.message;
    expect(message).toContain('HTTPRoute headwater/hooks is accepted by no Gateway');
    expect(message).toContain(`still points at ${base}/hooks/`);
    await gatewayApi('delete');
    await world.holds(async () => {
      const said = (await world.status('after')).conditions?.find(({ type }) => type === 'Ready')?.message;
      expect(said).not.toContain('HTTPRoute headwater/hooks');
    });
    expect(hookIds()).toEqual(ids);
  });

  it('is that of the Knative Service of config/knative', async () => {
    const ids = hookIds();
    const containers = [{ image: 'headwater-adapter' }];
    const apiVersion = 'serving.knative.dev/v1';
    const spec = { template: { spec: { containers } } };
    await world.applyIn('headwater', { apiVersion, kind: 'Service', metadata: { name: 'headwater-hooks' }, spec });
    const url = 'https://headwater-hooks.headwater.example.com';
    const patch = JSON.stringify({ status: { url } });
    const what = ['services.serving.knative.dev', 'headwater-hooks', '-n', 'headwater'];
    await world.kubectl('patch', ...what, '--subresource=status', '--type=merge', '-p', patch);
    await allAt(url);
    expect(hookIds()).toEqual(ids);
  });
});
