import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterToInstallInto, type InstalledCluster } from './support/installed-cluster.ts';

const overlay = join(import.meta.dirname, '../../config/namespaced');
const ACCOUNT = '--as=system:serviceaccount:headwater:headwater-controller';
/** What config/namespaced lists. */
const LISTED = 'demo';

const started = new AsyncDisposableStack();
let world: InstalledCluster['world'];
let pods: InstalledCluster['pods'];
let sinkUrl: string;
beforeAll(async () => {
  const cluster = await clusterToInstallInto(started);
  ({ world, pods } = cluster);
  sinkUrl = cluster.sink.url('/broker');
  await world.kubectl('create', 'namespace', LISTED);
  await world.kubectl('apply', '-k', overlay);
  await world.kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
  const backend = { service: { name: 'headwater-adapter', port: { number: 80 } } };
  const http = { paths: [{ path: '/', pathType: 'Prefix', backend }] };
  const spec = { rules: [{ host: 'hooks.example.com', http }] };
  const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name: 'hooks' }, spec };
  await world.applyIn('headwater', ingress);
  await world.kubectl('rollout', 'status', '-n', 'headwater', 'deployment/headwater-controller', '--timeout=100s');
});
afterAll(() => started.disposeAsync());

const may = async (...what: string[]) =>
  (await world.kubectl('auth', 'can-i', ...what, ACCOUNT).catch(() => 'no')).trim();
const statusIn = async (namespace: string) =>
  JSON.parse(await world.kubectl('get', 'githubsource', 'hello', '-n', namespace, '-o', 'json')) as {
    metadata: { finalizers?: string[] };
    status?: { conditions: { type: string; status: string; reason?: string; message?: string }[] };
  };
const condition = async (type: string) =>
  (await statusIn(LISTED)).status?.conditions.find((one) => one.type === type) ?? { status: 'none', message: '' };
const apply = (namespace: string, spec: object = {}) =>
  world.applyIn(
    namespace,
    world.secret({ accessToken: 'token', secretToken: 's3cret' }),
    world.source({ sink: { uri: sinkUrl }, ...spec }),
  );
const brokerIn = async (namespace: string) => {
  const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'default' }, spec: {} };
  await world.applyIn(namespace, broker);
  const patch = JSON.stringify({ status: { address: { url: sinkUrl } } });
  await world.kubectl(
    'patch',
    'broker',
    'default',
    '-n',
    namespace,
    '--subresource=status',
    '--type=merge',
    '-p',
    patch,
  );
};
const logs = () => pods.pods.filter(({ name }) => name.includes('controller')).map(({ process }) => process.log);

describe('config/namespaced', () => {
  it('gives rights to the Secrets of its namespaces, and to no other', async () => {
    for (const verb of ['get', 'list', 'watch']) {
      expect(await may(verb, 'secrets', '-A')).toBe('no');
      for (const namespace of [world.namespace, 'default', 'kube-system', 'headwater'])
        expect(await may(verb, 'secrets', '-n', namespace)).toBe('no');
      for (const namespace of [LISTED, 'headwater-routes'])
        expect(await may(verb, 'secrets', '-n', namespace)).toBe('yes');
    }
    expect(await may('patch', 'githubsources', '-A')).toBe('no');
  });

  it('serves a source of a listed namespace, and follows its Secret', async () => {
    await apply(world.namespace);
    await apply(LISTED);
    await world.holds(async () => expect(await condition('Ready')).toMatchObject({ status: 'True' }), 60_000);
    await world.applyIn(LISTED, world.secret({ accessToken: 'token', secretToken: 'another' }));
    await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe('another'));
  });

  it('leaves a source elsewhere alone', async () => {
    const { metadata, status } = await statusIn(world.namespace);
    expect({ finalizers: metadata.finalizers, status }).toEqual({ finalizers: undefined, status: undefined });
    expect(world.github.hooks).toHaveLength(1);
  });

  it('says which right is missing for a sink elsewhere, and follows it where a Role gives it', async () => {
    await brokerIn(world.namespace);
    const ref = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default', namespace: world.namespace };
    await apply(LISTED, { sink: { ref, uri: null } });
    await world.holds(async () => expect(await condition('SinkProvided')).toMatchObject({ reason: 'Forbidden' }));
    expect((await condition('SinkProvided')).message).toContain(
      'get, list and watch on brokers (eventing.knative.dev/v1)',
    );
    const inNamespace = ['-n', world.namespace];
    await world.kubectl(
      'create',
      'role',
      'sinks',
      ...inNamespace,
      '--verb=get,list,watch',
      '--resource=brokers.eventing.knative.dev',
    );
    await world.kubectl(
      'create',
      'rolebinding',
      'sinks',
      ...inNamespace,
      '--role=sinks',
      '--serviceaccount=headwater:headwater-controller',
    );
    await world.holds(async () => expect(await condition('Ready')).toMatchObject({ status: 'True' }), 60_000);
    const patch = JSON.stringify({ status: { address: { url: `${sinkUrl}/moved` } } });
    await world.kubectl(
      'patch',
      'broker',
      'default',
      ...inNamespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      patch,
    );
    const sinkUri = async () => ((await statusIn(LISTED)).status as { sinkUri?: string }).sinkUri;
    await world.holds(async () => expect(await sinkUri()).toBe(`${sinkUrl}/moved`));
  });

  it('asks for nothing it may not have, but for that sink', () => {
    const refused = logs()
      .join('\n')
      .split('\n')
      .filter((line) => /forbidden/.test(line));
    expect(refused.filter((line) => !line.includes('"Broker"'))).toEqual([]);
  });
});
