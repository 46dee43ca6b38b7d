import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeSink } from '../support/fake-sink.ts';
import { startCluster } from './support/cluster.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { PlayedUpstream } from './support/played-upstream.ts';
import { RealWorld } from './support/real-world.ts';

const root = join(import.meta.dirname, '../..');
const RELEASE = 'test/e2e/upstream/github.yaml';
const LEFT_OVER = 'validation.webhook.github.sources.knative.dev';
const TAKEOVER_MS = 15_000;
const RETAKE_MS = 30_000;
const REFUSED_MS = 3000;
const MT_URL = 'http://github-adapter.knative-sources.example.com';

let plane: ControlPlane;
let world: RealWorld;
let sink: FakeSink;
let upstream: PlayedUpstream;
let folder: string;
beforeAll(async () => {
  const started = await startCluster({}, []);
  plane = started.plane;
  world = new RealWorld(started.cluster);
  await world.open();
  await world.kubectl('apply', '-f', join(root, RELEASE));
  await world.kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
  sink = await FakeSink.start();
  upstream = new PlayedUpstream(world);
  folder = await mkdtemp(join(tmpdir(), 'headwater-e2e-migration-'));
  for (const path of ['crds', 'config']) await symlink(join(root, path), join(folder, path));
  await copyFile(join(root, RELEASE), join(folder, 'github.yaml'));
  await symlink(started.cluster.kubectl, join(folder, 'kubectl'));
});
afterAll(async () => {
  await upstream.stop();
  for (const part of world.parts) await part.end();
  await world.github.stop();
  await sink.close();
  await plane.stop();
  await rm(folder, { recursive: true });
});

/** A command of the page, as a reader would run it. */
async function follow(beginning: string): Promise<string> {
  const page = await readFile(join(root, 'docs/migration.md'), 'utf8');
  const command = page.split('\n').find((line) => line.startsWith(`$ ${beginning}`));
  if (command === undefined) throw new Error(`the page has no command ${beginning}`);
  const env = { PATH: `${folder}:${dirname(process.execPath)}:/usr/bin:/bin`, KUBECONFIG: world.cluster.kubeconfig };
  const { stdout } = await promisify(execFile)('bash', ['-c', `set -o pipefail; ${command.slice(2)}`], {
    cwd: folder,
    env,
  });
  return stdout;
}

const hooks = () => world.github.hooks.map(({ id, config }) => `${id} ${config.url}`);
const ourUrl = async (name: string) => `${world.adapterUrl}/hooks/${(await world.object(name))?.metadata.uid}`;
const services = () => world.kubectl('get', 'services.serving.knative.dev', '-n', world.namespace, '-o', 'name');
const events = (reason: string) =>
  world
    .kubectl('get', 'events', '-n', world.namespace, `--field-selector=reason=${reason}`, '-o', 'json')
    .then((text) =>
      (JSON.parse(text) as { items: { type: string; message: string; involvedObject: { name: string } }[] }).items.map(
        ({ type, message, involvedObject }) => `${type} ${involvedObject.name}: ${message}`,
      ),
    );
const condition = async (type: string, name = 'hello') =>
  (await world.status(name)).conditions?.find((one) => one.type === type);
const metrics = async () => {
  const port = /"port":(\d+)/.exec(world.controller.log)?.[1];
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
};
const refusals = async () =>
  Number(new RegExp(`writes_refused_total{webhook="${LEFT_OVER}"} (\\d+)`).exec(await metrics())?.[1] ?? 0);

describe('docs/migration.md', () => {
  it("The definition of GitHubSource takes the place of upstream's, and the sources stay.", async () => {
    await world.broker(sink.url('/broker'));
    await world.apply(
      world.secret({ accessToken: 'token', secretToken: 's3cret' }),
      world.source(),
      world.source({}, 'mt'),
    );
    upstream.hook(77, await upstream.service('hello-x7k2p', 'hello'));
    upstream.hook(78, `${MT_URL}/${world.namespace}/mt`);
    await upstream.service('not-of-a-source', undefined);
    await upstream.serve('hello', '77');
    await upstream.serve('mt', '78');
    const before = [await world.object(), await world.object('mt')];
    await follow('kubectl apply -f crds/');
    await follow('kubectl apply -f config/rbac/');
    expect([await world.object(), await world.object('mt')]).toEqual(before);
    expect(await world.kubectl('explain', 'githubsource.spec.eventFormat')).toContain('eventFormat');
  });

  it("While upstream's controller renews its Lease, Headwater writes nothing but one condition, `UpstreamControllerRunning` with severity `Info`, and does not call GitHub. All else in status stays upstream's.", async () => {
    await upstream.start();
    const before = await world.object();
    await world.start({ HOOK_CHECK_MS: '2000', REFUSED_WRITE_RETRY_MS: String(REFUSED_MS) });
    await world.becomes('UpstreamControllerRunning=True LeaseRenewed');
    await world.becomes('UpstreamControllerRunning=True LeaseRenewed', 'mt');
    const said = await world.object();
    const { renewals } = upstream;
    await world.kubectl('annotate', 'githubsource', 'mt', '-n', world.namespace, 'look=again');
    await world.holds(() => expect(upstream.renewals).toBeGreaterThan(renewals + 7));
    expect(await world.object()).toEqual(said);
    const [added, ...others] = [...(said?.status?.conditions ?? [])].toReversed();
    expect(added).toMatchObject({ type: 'UpstreamControllerRunning', severity: 'Info' });
    expect({ ...said?.status, conditions: others.toReversed() }).toEqual(before?.status);
    expect(said?.metadata.generation).toBe(before?.metadata.generation);
    expect(world.github.calls).toEqual([]);
    expect(await world.kubectl('get', 'secrets', '-n', 'headwater-routes', '-o', 'name')).toBe('');
  });

  it('Headwater takes over when the Lease was not renewed for its whole length, usually 15 s: each webhook keeps its id and gets a URL of Headwater, also where it was at the multi-tenant adapter, the condition goes, and the source is Ready.', async () => {
    await upstream.stop();
    await world.becomes('Deployed=True', 'hello', TAKEOVER_MS);
    await world.becomes('Deployed=True', 'mt', TAKEOVER_MS);
    for (const name of ['hello', 'mt']) {
      await world.becomes('Ready=True', name);
      expect(await condition('UpstreamControllerRunning', name)).toBeUndefined();
    }
    expect(hooks()).toEqual([`77 ${await ourUrl('hello')}`, `78 ${await ourUrl('mt')}`]);
    expect(world.github.calls.filter((call) => !call.startsWith('GET')).toSorted()).toEqual([
      'PATCH /repos/octo/hello/hooks/77',
      'PATCH /repos/octo/hello/hooks/78',
    ]);
  });

  it('Without it a Warning Event on the source names the Service and the command that deletes it.', async () => {
    const event = `Warning hello: Knative Service hello-x7k2p received deliveries until now and is not needed any more, but the controller may not delete it: kubectl delete services.serving.knative.dev hello-x7k2p -n ${world.namespace}, or apply config/migration`;
    await world.holds(async () => expect(await events('OldReceiveAdapterRemains')).toEqual([event]));
  });

  it('Upstream made a Knative Service for each source. With this right Headwater deletes it when the webhook does not need it any more, and no other Service.', async () => {
    await follow('kubectl apply -f config/migration/');
    await world.holds(async () => expect(await services()).toBe('service.serving.knative.dev/not-of-a-source\n'));
    await world.holds(async () => expect(await events('OldReceiveAdapterDeleted')).toHaveLength(1));
    expect(await events('OldReceiveAdapterRemains')).toHaveLength(1);
  });

  it("A copy of a source, where upstream does not serve it, gets a webhook of its own, and upstream's on the same repository is left alone: each receives every event, so give the copy a sink of its own.", async () => {
    upstream.hook(99, 'http://hello-abcde.elsewhere.example.com');
    const before = structuredClone(world.github.hooks);
    await world.apply(world.source({}, 'copy'));
    await world.becomes('Ready=True', 'copy');
    expect(world.github.hooks.slice(0, before.length)).toEqual(before);
    expect(hooks().slice(before.length)).toEqual([expect.stringContaining(await ourUrl('copy'))]);
  });

  it('When the copy is deleted, its webhook goes, and no other.', async () => {
    const before = hooks();
    await world.kubectl('delete', 'githubsource', 'copy', '-n', world.namespace, '--timeout=20s');
    expect(hooks()).toEqual(before.slice(0, -1));
    world.github.hooks.splice(
      world.github.hooks.findIndex(({ id }) => id === 99),
      1,
    );
  });

  it("When upstream's controller runs again, Headwater leaves routes and webhooks as they are, and writes nothing but the condition.", async () => {
    const before = await world.status();
    await upstream.start();
    await world.becomes('UpstreamControllerRunning=True LeaseRenewed');
    const said = await world.object();
    const [writes, { renewals }] = [world.github.calls.filter((call) => !call.startsWith('GET ')), upstream];
    await world.broker(sink.url('/moved'));
    await world.holds(() => expect(upstream.renewals).toBeGreaterThan(renewals + 5));
    expect(await world.object()).toEqual(said);
    expect({ ...said?.status, conditions: said?.status?.conditions?.slice(0, -1) }).toEqual(before);
    expect(world.github.calls.filter((call) => !call.startsWith('GET '))).toEqual(writes);
  });

  it('Each source still has the id of its webhook in `status.webhookIDKey`, by which upstream finds it.', async () => {
    expect((await world.status()).webhookIDKey).toBe('77');
    expect((await world.status('mt')).webhookIDKey).toBe('78');
  });

  it("A Lease that is given back, as when upstream's pod is restarted, or that is deleted, has as long, and at least 15 s, to be taken again.", async () => {
    for (const [path, leave] of [
      ['/moved', () => upstream.giveBack()],
      ['/moved-again', () => upstream.deleteLease()],
    ] as const) {
      await upstream.start();
      await world.becomes('UpstreamControllerRunning=True LeaseRenewed');
      await world.broker(sink.url(path));
      await leave();
      const left = performance.now();
      await world.holds(async () => expect((await world.status()).sinkUri).toBe(sink.url(path)), RETAKE_MS);
      expect(performance.now() - left).toBeGreaterThan(14_000);
    }
  });

  it("If upstream's admission webhooks are still there when what they call is gone, nobody can write a source. Headwater then names them in a Warning Event `WriteRefused` on the source, in its log and in a metric, tries again every minute, and goes on when they are deleted.", async () => {
    await world.kubectl('delete', 'statefulset,deployment,service', '--all', '-n', 'knative-sources');
    // As upstream's webhook process fills them in.
    const rules = [
      {
        apiGroups: ['sources.knative.dev'],
        apiVersions: ['v1alpha1'],
        resources: ['githubsources', 'githubsources/*'],
        operations: ['CREATE', 'UPDATE'],
      },
    ];
    const patch = JSON.stringify([{ op: 'add', path: '/webhooks/0/rules', value: rules }]);
    await world.kubectl('patch', 'validatingwebhookconfiguration', LEFT_OVER, '--type=json', '-p', patch);
    await world.holds(() => expect(world.apply(world.source({ eventTypes: ['issues'] }))).rejects.toThrow(LEFT_OVER));
    await world.broker(sink.url('/again'));
    await world.holds(async () => expect(await refusals()).toBeGreaterThan(7));
    const said = await events('WriteRefused');
    expect(said.map((text) => text.split(':')[0]).toSorted()).toEqual(['Warning hello', 'Warning mt']);
    expect(said[0]).toContain(
      `kubectl delete validatingwebhookconfigurations,mutatingwebhookconfigurations ${LEFT_OVER} --ignore-not-found`,
    );
    const logged = world.controller.log
      .split('\n')
      .filter((line) => line.includes('"write refused; tried again"') && line.includes('|hello"'))
      .map((line) => JSON.parse(line) as { time: string; webhook: string });
    expect(new Set(logged.map(({ webhook }) => webhook))).toEqual(new Set([LEFT_OVER]));
    const waits = logged.slice(1).map(({ time }, index) => Date.parse(time) - Date.parse(logged[index]?.time ?? ''));
    // The change of the Broker may come while a look is under way, and brings it back at once.
    expect(Math.min(...waits.slice(1))).toBeGreaterThan(REFUSED_MS - 200);
    await world.kubectl(
      'delete',
      'validatingwebhookconfigurations,mutatingwebhookconfigurations',
      LEFT_OVER,
      '--ignore-not-found',
    );
    await world.holds(async () => expect((await world.status()).sinkUri).toBe(sink.url('/again')));
  });

  it('Sources, GitHubBindings and the namespace stay.', async () => {
    await follow('kubectl apply -f github.yaml');
    const binding = { apiVersion: 'bindings.knative.dev/v1alpha1', kind: 'GitHubBinding', metadata: { name: 'bound' } };
    await world.apply(binding);
    await follow('kubectl get -f github.yaml');
    const left = await world.kubectl('get', '-f', join(root, RELEASE), '--ignore-not-found', '-o', 'name');
    expect(left.trim().split('\n').toSorted()).toEqual([
      'customresourcedefinition.apiextensions.k8s.io/githubbindings.bindings.knative.dev',
      'customresourcedefinition.apiextensions.k8s.io/githubsources.sources.knative.dev',
      'namespace/knative-sources',
    ]);
    const stayed = await world.kubectl('get', 'githubsources,githubbindings', '-n', world.namespace, '-o', 'name');
    expect(stayed.trim().split('\n').toSorted()).toEqual([
      'githubbinding.bindings.knative.dev/bound',
      'githubsource.sources.knative.dev/hello',
      'githubsource.sources.knative.dev/mt',
    ]);
    await world.apply(world.source({ eventTypes: ['star'] }));
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['star']));
    await world.becomes('Ready=True');
  });

  it('When the right is taken back, sources go on.', async () => {
    await follow('kubectl delete -f config/migration/');
    await world.apply(world.source({ eventTypes: ['push'] }));
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['push']));
    await world.becomes('Ready=True');
  });

  it('Both namespaces go, with adapter, controller and routes, and the rights; sources, the definition and webhooks stay.', async () => {
    await upstream.start();
    await world.becomes('UpstreamControllerRunning=True LeaseRenewed');
    const left = [await world.object(), await world.object('mt'), hooks()];
    await follow('kubectl delete -f config/rbac/');
    for (const part of world.parts) await part.end();
    expect([await world.object(), await world.object('mt'), hooks()]).toEqual(left);
    const found = await world.kubectl('get', 'namespaces,clusterroles,clusterrolebindings', '-o', 'name');
    // Of config/oidc and the like nothing was applied.
    expect(found.split('\n').filter((name) => name.includes('headwater'))).toEqual([]);
    expect(await world.kubectl('kustomize', join(root, 'config/default'))).toContain(
      'name: githubsources.sources.knative.dev',
    );
    await follow('kubectl apply -f config/rbac/');
    await upstream.stop();
    await world.start();
    await world.becomes('Deployed=True', 'hello', TAKEOVER_MS);
    await world.becomes('Ready=True');
    await world.becomes('Ready=True', 'mt');
  });

  it("Do not delete upstream's release file as it is: it holds the CustomResourceDefinition, and with that every source is deleted, and its webhook at GitHub.", async () => {
    expect(hooks()).toHaveLength(2);
    await world.kubectl('delete', '-f', join(root, RELEASE), '--ignore-not-found', '--timeout=60s');
    expect(hooks()).toEqual([]);
    expect(await world.kubectl('get', 'crd', 'githubsources.sources.knative.dev', '--ignore-not-found')).toBe('');
  });
});
