import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../controller/kube/api-client.ts';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { startCluster } from './support/cluster.ts';
import { Kubelet } from './support/kubelet.ts';
import { PodNetwork } from './support/pod-network.ts';
import type { ProbedPod } from './support/probed-pod.ts';
import { RealWorld } from './support/real-world.ts';

const ADAPTER = 'app.kubernetes.io/name=headwater-adapter';
const config = join(import.meta.dirname, '../../config/adapter');

/** Ends what was started, the newest first and all of it, whatever fails. */
const started = new AsyncDisposableStack();
let world: RealWorld;
let sink: FakeSink;
let kubelet: Kubelet;
const running: ProbedPod[] = [];

beforeAll(async () => {
  const network = await PodNetwork.start();
  started.defer(() => network.stop());
  // Of its own: a cluster that is given may have kubelets, and Services at other addresses.
  const { plane, cluster } = await startCluster();
  started.defer(() => plane.stop());
  world = new RealWorld(cluster);
  sink = await FakeSink.start(undefined, network.hostAddress);
  started.defer(() => sink.close());
  kubelet = await Kubelet.start(world.cluster, network, { 'headwater-adapter': 'adapter/main.ts' });
  started.defer(() => kubelet.stop());
  started.defer(() => world.stop());
  await world.start(
    {
      ADAPTER_STATE_URLS: '',
      PUBLIC_URL: 'http://hooks.example.com',
      LEASE_MS: '60000',
      LEASE_RENEW_DEADLINE_MS: '50000',
    },
    { adapter: false },
  );
  await world.kubectl('apply', '--server-side', '-k', config);
});
afterAll(() => started.disposeAsync());

/** Starts one more of the Deployment's pods. */
async function runAnother(): Promise<ProbedPod> {
  const names = new Set(running.map(({ name }) => name));
  const pod = (await kubelet.pods('headwater', ADAPTER)).find(({ metadata }) => !names.has(metadata.name));
  if (!pod) throw new Error('the Deployment has no other pod');
  const another = await kubelet.run(pod);
  running.push(another);
  return another;
}

async function readyAddresses(): Promise<string[]> {
  const path = '{range .items[*].endpoints[*]}{.addresses[0]} {.conditions.ready}{"\\n"}{end}';
  const service = 'kubernetes.io/service-name=headwater-adapter';
  const found = await world.kubectl(
    'get',
    'endpointslices',
    '-n',
    'headwater',
    '-l',
    service,
    '-o',
    `jsonpath=${path}`,
  );
  return found.split('\n').flatMap((line) => (line.endsWith(' true') ? [line.split(' ')[0] ?? ''] : []));
}

async function post(to: ProbedPod): Promise<number> {
  const { webhookURL = '' } = await world.status();
  const delivery = simulator.deliver({ eventType: 'push', payload: { compare: to.name }, form: 'indented' }, 's3cret');
  const { headers, body } = delivery;
  const url = to.url('http') + new URL(webhookURL).pathname;
  return (await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) })).status;
}

const events = () => world.github.hooks[0]?.events;

describe('the adapter, of its Deployment', () => {
  it('is let in by Pod Security, which lets no other pod in', async () => {
    await world.holds(async () => expect(await kubelet.pods('headwater', ADAPTER)).toHaveLength(2));
    const refused = world.kubectl('run', 'other', '-n', 'headwater', '--image=x');
    await expect(refused).rejects.toThrow('violates PodSecurity "restricted');
  });

  it('is missed while none of its pods is ready', async () => {
    await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }), world.source());
    await world.broker(sink.url('/broker'));
    await world.becomes('Deployed=False MissingReceiveAdapter');
    expect(world.github.calls).toEqual([]);
  });

  it('serves when one is, which the controller learns from its EndpointSlice', async () => {
    const first = await runAnother();
    await world.becomes('Ready=True');
    expect(await readyAddresses()).toEqual([first.address]);
    expect(await post(first)).toBe(202);
    expect(sink.received.at(-1)).toMatchObject({ path: '/broker' });
  });

  it('answers the probes of its spec', async () => {
    const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'] as const;
    for (const probe of probes) expect(await running[0]?.passes(probe)).toBe(true);
  });

  it('is complete with two', async () => {
    const second = await runAnother();
    await world.kubectl('rollout', 'status', 'deployment/headwater-adapter', '-n', 'headwater', '--timeout=60s');
    expect((await readyAddresses()).toSorted()).toEqual(running.map(({ address }) => address).toSorted());
    expect(await post(second)).toBe(202);
  });
});

describe('a replica that is ready, but does not answer', () => {
  it('keeps an edit from being Ready, and from the provider, until it serves it', async () => {
    running[1]?.process.signal('SIGSTOP');
    await world.apply(world.source({ eventTypes: ['star'] }));
    const { conditions } = await world.becomes('Ready=Unknown RouteNotServed');
    expect(conditions?.find(({ type }) => type === 'Ready')?.message).toContain('1 of 2 adapters do not serve');
    expect(events()).toEqual(['push', 'issues']);
    running[1]?.process.signal('SIGCONT');
    await world.becomes('Ready=True');
    expect(events()).toEqual(['star']);
  });

  it('counts until its probes have found out, then the other one alone', async () => {
    running[1]?.process.signal('SIGSTOP');
    await world.apply(world.source({ eventTypes: ['fork'] }));
    await world.becomes('Ready=Unknown RouteNotServed');
    await world.becomes('Ready=True', 'hello', 60_000);
    expect(await readyAddresses()).toEqual([running[0]?.address]);
    expect(events()).toEqual(['fork']);
    running[1]?.process.signal('SIGCONT');
    await world.holds(async () => expect(await readyAddresses()).toHaveLength(2));
  });
});

describe('a pod that goes', () => {
  it('leaves the other one to count alone', async () => {
    const second = running.pop();
    await second?.delete();
    expect(second?.process.exitCode).toBe(0);
    await world.apply(world.source({ eventTypes: ['watch'] }));
    await world.holds(() => expect(events()).toEqual(['watch']));
    await world.becomes('Ready=True');
    expect(await readyAddresses()).toEqual([running[0]?.address]);
  });

  it('says that no adapter is left when it was the last one, also of a source nobody touched', async () => {
    await running.pop()?.delete();
    await world.becomes('Ready=False MissingReceiveAdapter');
    const next = await runAnother();
    await world.becomes('Ready=True');
    expect(await post(next)).toBe(202);
  });
});

describe("the adapter's ServiceAccount", () => {
  let api: ApiClient;
  beforeAll(async () => {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromFile(world.cluster.kubeconfig);
    const token = await readFile((await runAnother()).tokenFile, 'utf8');
    kubeConfig.users = [{ name: kubeConfig.getCurrentUser()?.name ?? '', token }];
    api = new ApiClient(kubeConfig);
    started.defer(() => api.close());
  });

  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } };
  const routes = '/api/v1/namespaces/headwater-routes/secrets';
  const requests: { name: string; method: 'GET' | 'POST' | 'PATCH' | 'DELETE'; path: () => string; status: number }[] =
    [
      { name: 'lists routes', method: 'GET', path: () => routes, status: 200 },
      {
        name: 'reads Secrets elsewhere',
        method: 'GET',
        path: () => `/api/v1/namespaces/${world.namespace}/secrets/github`,
        status: 403,
      },
      {
        name: 'lists Secrets elsewhere',
        method: 'GET',
        path: () => `/api/v1/namespaces/${world.namespace}/secrets`,
        status: 403,
      },
      {
        name: 'watches Secrets elsewhere',
        method: 'GET',
        path: () => `/api/v1/namespaces/${world.namespace}/secrets?watch=true`,
        status: 403,
      },
      {
        name: 'lists Secrets beside it',
        method: 'GET',
        path: () => '/api/v1/namespaces/headwater/secrets',
        status: 403,
      },
      { name: 'lists all Secrets', method: 'GET', path: () => '/api/v1/secrets', status: 403 },
      { name: 'watches all Secrets', method: 'GET', path: () => '/api/v1/secrets?watch=true', status: 403 },
      { name: 'makes a route', method: 'POST', path: () => routes, status: 403 },
      { name: 'edits a route', method: 'PATCH', path: () => `${routes}/x`, status: 403 },
      { name: 'removes a route', method: 'DELETE', path: () => `${routes}/x`, status: 403 },
      { name: 'removes all routes', method: 'DELETE', path: () => routes, status: 403 },
      {
        name: 'reads sources',
        method: 'GET',
        path: () => '/apis/sources.knative.dev/v1alpha1/githubsources',
        status: 403,
      },
    ];
  for (const { name, method, path, status } of requests) {
    it(`${name}: ${status}`, async () => {
      const body = method === 'POST' || method === 'PATCH' ? { body: secret } : {};
      const contentType = method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {};
      const answer = api.call(method, path(), { ...body, ...contentType }).then(
        () => 200,
        (error: { code?: number }) => error.code,
      );
      expect(await answer).toBe(status);
    });
  }
});

describe('the controller', () => {
  it('was refused nothing', () => {
    const lines = world.controller.log.trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as { level: string; msg: string; error?: string });
    expect(entries.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });
});
