import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulator } from '../../sources/github/simulator.ts';
import { clusterToInstallInto, type InstalledCluster } from './support/installed-cluster.ts';
import { PageCommands } from './support/page-commands.ts';
import type { Container } from './support/pod-spec.ts';

const root = join(import.meta.dirname, '../..');
const config = (name: string) => join(root, 'config', name);
const CONTROLLER = 'headwater-controller';
const ADAPTER = 'headwater-adapter';

interface Deployment {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly Container[] } } };
}

const started = new AsyncDisposableStack();
let world: InstalledCluster['world'];
let pods: InstalledCluster['pods'];
let page: PageCommands;
beforeAll(async () => {
  ({ world, pods } = await clusterToInstallInto(started));
  page = new PageCommands(world, 'docs/install.md');
  await world.kubectl('label', 'namespace', world.namespace, 'pod-security.kubernetes.io/enforce=restricted');
});
afterAll(() => started.disposeAsync());

const leader = async () =>
  world.kubectl('get', 'lease', CONTROLLER, '-n', 'headwater', '-o', 'jsonpath={.spec.holderIdentity}');
const may = async (account: string, ...what: string[]) =>
  (await world.kubectl('auth', 'can-i', ...what, `--as=system:serviceaccount:${account}`).catch(() => 'no')).trim();

async function deliver(): Promise<number> {
  const { webhookURL = '' } = await world.status();
  const delivery = simulator.deliver({ eventType: 'push', payload: { compare: 'installed' } }, 's3cret');
  const [adapter] = pods.of(ADAPTER);
  const url = `${adapter?.url('http')}${new URL(webhookURL).pathname}`;
  const reply = await fetch(url, { method: 'POST', headers: delivery.headers, body: new Uint8Array(delivery.body) });
  return reply.status;
}

describe('config/default', () => {
  it('applies in one go, and its pods get ready under Pod Security restricted', async () => {
    await page.run('kubectl apply -k config/default');
    await page.run('PUBLIC_URL=');
    await page.run('kubectl wait --for=condition=Established');
    for (const name of [CONTROLLER, ADAPTER])
      await world.kubectl('rollout', 'status', '-n', 'headwater', `deployment/${name}`, '--timeout=100s');
    await world.holds(() => expect(pods.of(ADAPTER)).toHaveLength(2));
    await page.run('kubectl rollout status -n headwater deployment/headwater-adapter');
    expect(pods.of(CONTROLLER)).toHaveLength(2);
    for (const pod of [...pods.of(CONTROLLER), ...pods.of(ADAPTER)])
      for (const probe of ['livenessProbe', 'readinessProbe'] as const) expect(await pod.passes(probe)).toBe(true);
  });

  it('keeps as many replicas as the HorizontalPodAutoscaler says when it is applied again', async () => {
    await page.run('kubectl apply -k config/default');
    const replicas = await world.kubectl(
      'get',
      'deployment',
      '-n',
      'headwater',
      '-o',
      'jsonpath={.items[*].spec.replicas}',
    );
    expect(replicas).toBe('2 2');
  });

  it('brings an event of a source to config/event-dumper', async () => {
    await world.kubectl('apply', '-n', world.namespace, '-k', config('event-dumper'));
    await world.kubectl('rollout', 'status', '-n', world.namespace, 'deployment/event-dumper', '--timeout=100s');
    const [dumper] = pods.of('event-dumper');
    world.controller = pods.of(CONTROLLER)[0]?.process as typeof world.controller;
    await world.apply(
      world.secret({ accessToken: 'token', secretToken: 's3cret' }),
      world.source({ sink: { uri: dumper?.url('http') } }),
    );
    await world.becomes('Ready=True');
    expect(world.github.hooks.map(({ config: { url } }) => url)).toEqual([(await world.status()).webhookURL]);
    expect(await deliver()).toBe(202);
    await world.holds(() => expect(dumper?.process.log).toContain('"type":"dev.knative.source.github.push"'));
  });

  it('has another controller lead when the leader goes', async () => {
    const first = await leader();
    expect(pods.of(CONTROLLER).map(({ name }) => name)).toContain(first);
    await world.kubectl('delete', 'pod', first, '-n', 'headwater');
    await world.holds(async () => expect(await leader()).not.toMatch(new RegExp(`^(${first})?$`)));
    await world.apply(world.source({ sink: { uri: pods.of('event-dumper')[0]?.url('http') }, eventTypes: ['star'] }));
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['star']));
  });

  it('gives rights that are enough: nothing was refused', () => {
    const lines = pods.pods
      .filter(({ name }) => name.startsWith('headwater-'))
      .flatMap(({ process }) => process.log.split('\n').filter(Boolean));
    const entries = lines.map((line) => JSON.parse(line) as { level: string });
    expect(entries.length).toBeGreaterThan(10);
    expect(entries.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
  });

  it('are found as sources', async () => {
    expect(await world.kubectl('get', 'crds', '-l', 'duck.knative.dev/source=true', '-o', 'name')).toContain(
      'githubsources',
    );
    expect(await world.kubectl('get', 'sources', '-n', world.namespace)).toMatch(
      /NAME +READY +REASON .*\n.*hello +True/,
    );
  });

  it("lets Knative's own controllers see sources by the roles they collect", async () => {
    const metadata = { name: 'source-observer' };
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata };
    const clusterRoleSelectors = [{ matchLabels: { 'duck.knative.dev/source': 'true' } }];
    await world.apply({ ...role, aggregationRule: { clusterRoleSelectors }, rules: [] });
    await world.kubectl('create', 'clusterrolebinding', 'observer', '--clusterrole=source-observer', '--user=observer');
    const sees = (verb: string) =>
      world.kubectl('auth', 'can-i', verb, 'githubsources', '-A', '--as=observer').catch(() => 'no');
    await world.holds(async () => expect(await sees('watch')).toBe('yes\n'));
    expect(await sees('patch')).toBe('no');
  });

  it('lets the adapter read the Secrets of the routes, and the controller no node', async () => {
    expect(await may(`headwater:${ADAPTER}`, 'list', 'secrets', '-n', 'headwater-routes')).toBe('yes');
    expect(await may(`headwater:${ADAPTER}`, 'list', 'secrets', '-n', world.namespace)).toBe('no');
    expect(await may(`headwater:${CONTROLLER}`, 'list', 'nodes')).toBe('no');
  });
});

describe('every folder of config/ that can be applied', () => {
  beforeAll(() => world.kubectl('create', 'namespace', 'demo'));
  const folders = [
    'default',
    'knative',
    'dedicated',
    'namespaced',
    'oidc',
    'migration',
    'event-dumper',
    'event-dumper/knative',
  ];
  it.each(folders)('config/%s: the API server knows each object and field of it', async (folder) => {
    const args = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict'];
    const applied = await world
      .kubectl(...args, '-k', config(folder), '-o', 'name')
      .catch((error: { stderr: string }) => {
        throw new Error(error.stderr);
      });
    const text = await world.kubectl('kustomize', config(folder));
    expect(applied.trim().split('\n')).toHaveLength(text.match(/^kind: /gm)?.length ?? 0);
  });

  it('config/custom-ca, in an overlay of one who installs', async () => {
    const folder = world.file('mine');
    await mkdir(folder);
    const overlay = { resources: ['default'], components: ['custom-ca'] };
    const paths = Object.entries(overlay).map(([key, names]) => [
      key,
      names.map((name) => relative(folder, config(name))),
    ]);
    await writeFile(join(folder, 'kustomization.yaml'), JSON.stringify(Object.fromEntries(paths)));
    const args = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--validate=strict', '-o', 'json'];
    const { items } = JSON.parse(await world.kubectl(...args, '-k', folder)) as { items: Deployment[] };
    const spec = items.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === CONTROLLER)?.spec
      .template.spec;
    const [{ env, volumeMounts } = {}] = spec?.containers ?? [];
    const file = env?.find(({ name }) => name === 'NODE_EXTRA_CA_CERTS')?.value ?? '';
    expect(volumeMounts?.map(({ mountPath }) => mountPath)).toEqual([dirname(file)]);
  });

  const samples = [
    '',
    'by-hand',
    'channel',
    'dead-letters',
    'dedicated',
    'enterprise-server',
    'knative-service',
    'service',
  ];
  it.each(samples)('config/samples/%s', async (folder) => {
    const args = ['apply', '-n', 'demo', '--server-side', '--dry-run=server', '--validate=strict'];
    await expect(world.kubectl(...args, '-f', config(`samples/${folder}`))).resolves.toContain('githubsource');
  });

  it('is tried here', async () => {
    const parts = ['adapter', 'controller', 'images', 'network', 'rbac', 'samples', 'custom-ca', 'monitoring'];
    const found = (await readdir(config(''), { withFileTypes: true })).map(({ name }) => name);
    expect(found.filter((name) => !parts.includes(name) && !folders.includes(name))).toEqual([]);
    expect((await readdir(config('samples'))).filter((name) => !name.includes('.')).toSorted()).toEqual(
      samples.slice(1),
    );
  });
});
