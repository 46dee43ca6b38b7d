import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { PlayedServing } from './support/played-serving.ts';
import { RealWorld } from './support/real-world.ts';
import { servingCrd } from './support/serving-crd.ts';

const rights = join(import.meta.dirname, '../../config/dedicated');
const NAME = 'hello-githubsource';
const DEDICATED = { adapter: { mode: 'dedicated' }, serviceAccountName: 'runner' };

/** Adapters of single sources: with Knative Serving's own definition and a played Serving, and as Deployments. */
const started = new AsyncDisposableStack();
const world = new RealWorld();
const serving = new PlayedServing(world, NAME);
let sink: FakeSink;

beforeAll(async () => {
  sink = await FakeSink.start();
  started.defer(() => sink.close());
  started.defer(async () => {
    await world.kubectl('delete', '-f', rights, '--ignore-not-found');
    await world.kubectl('apply', '--server-side', '--force-conflicts', '-f', await servingCrd());
  });
  started.defer(() => world.stop());
  started.defer(() => serving.stop());
  await world.start({
    ADAPTER_IMAGE: 'headwater-adapter',
    ADAPTER_ENV: 'LOG_LEVEL=info',
    ADAPTER_MOVE_OVERLAP_MS: '500',
  });
  await world.broker(sink.url('/broker'));
  await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }));
});
afterAll(() => started.disposeAsync());

const hookUrl = () => world.github.hooks[0]?.config.url ?? '';
const message = async (type: string) =>
  (await world.status()).conditions?.find((one) => one.type === type)?.message ?? '';
const names = async (...kinds: string[]) =>
  (await world.kubectl('get', kinds.join(','), '-n', world.namespace, '-o', 'name')).trim().split('\n').filter(Boolean);

async function deliver(url = hookUrl()): Promise<number> {
  const payload = { compare: Math.random() };
  const { headers, body } = simulator.deliver({ eventType: 'push', payload }, 's3cret');
  return (await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })).status;
}

/** Deliveries one after the other to wherever the webhook points, while `work` is done; each one's status. */
async function deliverDuring(work: () => Promise<void>): Promise<number[]> {
  const statuses: number[] = [];
  let isOver = false;
  const working = work().finally(() => {
    isOver = true;
  });
  while (!isOver) statuses.push(await deliver());
  await working;
  return statuses;
}

describe('an adapter of one source, with Knative Serving', () => {
  it('is not made without config/dedicated, which is said', async () => {
    await world.apply(world.source(DEDICATED));
    await world.becomes('Ready=False DedicatedNotEnabled');
    expect(await message('Deployed')).toContain('apply config/dedicated');
    expect(world.github.calls).toEqual([]);
  });

  it('is made when the rights are there, as Serving takes it', async () => {
    await world.kubectl('apply', '--server-side', '-f', rights);
    await world.becomes('Deployed=Unknown RolloutUnderWay');
    const found = await names('deployments', 'services', 'services.serving.knative.dev');
    expect(found).toEqual([`service.serving.knative.dev/${NAME}`]);
    expect((await serving.service())?.spec.template.spec).toMatchObject({ serviceAccountName: 'runner' });
  });

  it('receives deliveries when Serving says that it serves, on every path', async () => {
    const url = await serving.rollOut();
    await world.becomes('Ready=True');
    expect(hookUrl()).toMatch(`${url}/hooks/`);
    const before = sink.received.length;
    expect(await deliver()).toBe(202);
    expect(await deliver(`${url}/any/path`)).toBe(202);
    expect(sink.received).toHaveLength(before + 2);
  });

  it('is not written while nothing changes', async () => {
    const before = (await serving.service())?.metadata.resourceVersion;
    const calls = world.github.calls.length;
    await world.kubectl('annotate', 'githubsource', 'hello', 'look=1', '-n', world.namespace);
    await world.holds(() => expect(world.github.calls.length).toBeGreaterThan(calls));
    await world.becomes('Ready=True');
    expect((await serving.service())?.metadata.resourceVersion).toBe(before);
  });

  it('is put right when somebody changed it', async () => {
    const image = [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'other' }];
    const what = ['services.serving.knative.dev', NAME, '-n', world.namespace];
    await world.kubectl('patch', ...what, '--type=json', '-p', JSON.stringify(image));
    await world.holds(async () =>
      expect((await serving.service())?.spec.template.spec.containers).toMatchObject([{ image: 'headwater-adapter' }]),
    );
    await world.becomes('Ready=Unknown RolloutUnderWay');
    await serving.rollOut();
    await world.becomes('Ready=True');
  });
});

describe('a switch of modes under deliveries', () => {
  it('to the shared adapter loses none, and removes the other', async () => {
    const before = sink.received.length;
    const [hook] = world.github.hooks;
    const statuses = await deliverDuring(async () => {
      await world.apply(world.source({ adapter: { mode: 'shared' } }));
      await world.holds(() => expect(hookUrl()).toContain(world.adapterUrl));
      await world.holds(async () => expect(await serving.service()).toBeUndefined());
    });
    expect(new Set(statuses)).toEqual(new Set([202]));
    expect(sink.received).toHaveLength(before + statuses.length);
    expect(world.github.hooks.map(({ id }) => id)).toEqual([hook?.id]);
    await world.holds(async () => expect(await names('secrets')).toEqual(['secret/github']));
  });

  it('and back', async () => {
    const before = sink.received.length;
    const [hook] = world.github.hooks;
    const statuses = await deliverDuring(async () => {
      await world.apply(world.source(DEDICATED));
      await world.becomes('Ready=Unknown RolloutUnderWay');
      const url = await serving.rollOut();
      await world.holds(() => expect(hookUrl()).toContain(url));
      await world.becomes('Ready=True');
    });
    expect(new Set(statuses)).toEqual(new Set([202]));
    expect(sink.received).toHaveLength(before + statuses.length);
    expect(world.github.hooks.map(({ id }) => id)).toEqual([hook?.id]);
    const uid = (await world.object())?.metadata.uid ?? '';
    await world.holds(async () => {
      const routes = await world.kubectl('get', 'secrets', '-n', 'headwater-routes', '-o', 'name');
      expect(routes).not.toContain(uid);
    });
  });

  it('and goes with its source', async () => {
    await world.kubectl('delete', 'githubsource', 'hello', '-n', world.namespace, '--timeout=20s');
    expect(world.github.hooks).toEqual([]);
    await world.holds(async () => {
      expect(await serving.service()).toBeUndefined();
      expect(await names('secrets')).toEqual(['secret/github']);
    });
  });
});

describe('an adapter of one source, without Knative Serving', () => {
  it('is a Deployment and a Service, judged by its pods', async () => {
    await world.kubectl('delete', 'crd', 'services.serving.knative.dev');
    await world.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'runner' } });
    await world.apply(world.source(DEDICATED));
    await world.becomes('Deployed=False MissingReceiveAdapter');
    expect(await names('deployments', 'services')).toEqual([
      `deployment.apps/${NAME}-adapter`,
      `service/${NAME}-adapter`,
    ]);
    const [pod = ''] = await names('pods');
    const status = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    const patch = JSON.stringify({ status });
    await world.kubectl('patch', pod, '-n', world.namespace, '--subresource=status', '--type=merge', '-p', patch);
    await world.becomes('Deployed=False NoPublicAddress');
    expect(await message('Deployed')).toContain(`Service ${NAME}-adapter: make an HTTPRoute or an Ingress`);
  });

  it('has its webhook where an Ingress leads to it', async () => {
    const backend = { service: { name: `${NAME}-adapter`, port: { name: 'http' } } };
    const http = { paths: [{ path: '/hello', pathType: 'Prefix', backend }] };
    const host = 'own.example.com';
    const spec = { tls: [{ hosts: [host] }], rules: [{ host, http }] };
    await world.apply({ apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'own' }, spec });
    await world.becomes('Ready=True');
    expect(hookUrl()).toBe(`https://${host}/hello/hooks/${(await world.object())?.metadata.uid}`);
    await world.kubectl('delete', 'ingress', 'own', '-n', world.namespace);
    await world.becomes('Deployed=False NoPublicAddress');
    expect(world.github.hooks).toHaveLength(1);
  });

  it('is let in by Pod Security at its strictest', async () => {
    const label = 'pod-security.kubernetes.io/enforce=restricted';
    await world.kubectl('label', 'namespace', world.namespace, label);
    const [before = ''] = await names('pods');
    await world.kubectl('delete', before, '-n', world.namespace, '--force', '--grace-period=0');
    await world.holds(async () => expect(await names('pods')).not.toContain(before));
    await world.holds(async () => expect(await names('pods')).toHaveLength(1));
  });
});
