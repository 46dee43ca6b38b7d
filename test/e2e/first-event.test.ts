import { mkdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { simulator } from '../../sources/github/simulator.ts';
import { Certificates } from './support/certificates.ts';
import { clusterToInstallInto } from './support/installed-cluster.ts';
import { PageCommands } from './support/page-commands.ts';
import { servingCrd } from './support/serving-crd.ts';
import { publicUrlOf, ServingPods } from './support/serving-pods.ts';

/** docs/install.md as a reader follows it: from a cluster where nothing is, command by command, to events in a log. */
const started = new AsyncDisposableStack();
const { world, pods, serve } = await clusterToInstallInto(started, { knative: false, namespaces: ['demo'] });
afterAll(() => started.disposeAsync());
const page = new PageCommands(world, 'docs/install.md', { REPOSITORY: 'octo/hello', GITHUB_TOKEN: 'good' });
const serving = new ServingPods(world, pods);
const PLANES = ['headwater-controller', 'headwater-adapter'];
const TOKEN_SAMPLE = 'config/samples/service/githubsource.yaml';

interface KnativeService {
  readonly metadata: { readonly name: string };
  readonly spec: { template: { spec: { containers: { env: { name: string }[] }[] } } };
}

/** As the samples are, but for where GitHub is. */
async function useSample(path: string, api = world.api): Promise<void> {
  const text = await readFile(join(import.meta.dirname, '../..', path), 'utf8');
  await page.put(path, text.replace('  ownerAndRepository:', `  githubAPIURL: ${api}/\n  ownerAndRepository:`));
  await page.run(path);
}
const rolledOut = (name: string) =>
  world.kubectl('rollout', 'status', '-n', 'headwater', `deployment/${name}`, '--timeout=100s');
const secret = () => page.run('.data.secretToken');
const field = (path: string) =>
  world.kubectl('get', 'githubsource', 'hello-world', '-n', 'demo', '-o', `jsonpath={${path}}`);
const ready = () =>
  world.holds(
    async () => expect(await field('.status.conditions[?(@.type=="Ready")]')).toContain('"status":"True"'),
    60_000,
  );

/** GitHub's first delivery, to `address` in place of the public name; resolves to its id. */
async function ping(address: string): Promise<string> {
  const delivery = simulator.deliver(
    { eventType: 'ping', payload: { zen: 'Keep it logically awesome.', hook_id: 1 } },
    await secret(),
  );
  const url = address + new URL(await field('.status.webhookURL')).pathname;
  const reply = await fetch(url, { method: 'POST', headers: delivery.headers, body: new Uint8Array(delivery.body) });
  expect(reply.status).toBe(202);
  return delivery.id;
}
const adapter = () => pods.of('headwater-adapter')[0]?.url('http') ?? '';
/** Ports of the pods that this Service of namespace `headwater` leads to. */
async function backendsOf(service: string): Promise<string[]> {
  const of = ['-n', 'headwater', '-l', `kubernetes.io/service-name=${service}`];
  const path = 'jsonpath={.items[?(@.endpoints)].ports[*].port}';
  return (await world.kubectl('get', 'endpointslices', ...of, '-o', path)).split(' ').filter(Boolean).toSorted();
}
async function removeSource(): Promise<void> {
  await world.kubectl('delete', 'githubsources', '--all', '-n', 'demo', '--timeout=60s');
  expect(world.github.hooks).toEqual([]);
}
/** What `command` of the page shows has the delivery with this id. */
const shows = (command: string, id: string) => world.holds(async () => expect(await page.run(command)).toContain(id));
const LOGS = 'kubectl logs -n demo deployment/event-dumper';

describe('docs/install.md, without Knative', () => {
  it('installs everything', async () => {
    for (const command of [
      'kubectl apply -k config/default',
      'PUBLIC_URL=',
      'kubectl wait --for=condition=Established',
    ])
      await page.run(command);
    for (const name of PLANES)
      expect(await page.run(`rollout status -n headwater deployment/${name}`)).toContain('successfully rolled out');
  });

  it('comes to the first event with an access token', async () => {
    await page.run('kubectl create namespace demo');
    await page.run('kubectl apply -n demo -k config/event-dumper');
    await page.run('rollout status -n demo deployment/event-dumper');
    await serve('demo', 'event-dumper');
    await page.run('export REPOSITORY');
    await useSample(TOKEN_SAMPLE);
    await page.run('kubectl wait -n demo --for=condition=Ready githubsource/hello-world');
    expect(world.github.hooks).toMatchObject([
      { repository: 'octo/hello', config: { url: await field('.status.webhookURL') } },
    ]);
    await shows(LOGS, await ping(adapter()));
    await removeSource();
  });

  it('comes to the first event without one', async () => {
    const calls = world.github.calls.length;
    await useSample('config/samples/by-hand/githubsource.yaml');
    await world.holds(async () =>
      expect(await page.run('.status.webhookURL')).toMatch(/^https:\/\/hooks\.example\.com\/hooks\//),
    );
    const id = await ping(adapter());
    await ready();
    await shows(LOGS, id);
    expect(world.github.calls.length).toBe(calls);
    await removeSource();
  });

  it('has both planes call by a proxy, which tell no password', async () => {
    const arePut = async () => {
      for (const name of PLANES) await rolledOut(name);
      // Those before go in their own time.
      await world.holds(() => {
        const logs = PLANES.flatMap((name) => pods.of(name).map(({ process }) => process.log));
        for (const log of logs) {
          expect(log).toContain('"proxies":{"https":"http://proxy.example.com:3128"}');
          expect(log).not.toContain('password');
        }
      });
    };
    await page.run('HTTPS_PROXY=http://proxy.example.com:3128 NO_PROXY=');
    await arePut();
    await page.run('kubectl create secret generic headwater-proxy');
    await page.run('--from=secret/headwater-proxy');
    await arePut();
    const deployments = PLANES.map((name) => `deployment/${name}`);
    await world.kubectl('set', 'env', '-n', 'headwater', ...deployments, 'HTTPS_PROXY-', 'NO_PROXY-');
    for (const name of PLANES) await rolledOut(name);
  });

  it('trusts an authority of the reader for GitHub', async () => {
    const folder = world.file('authority');
    await mkdir(folder);
    const certificates = new Certificates(folder);
    await certificates.makeAuthority();
    const { hostname, port } = new URL(world.api);
    await certificates.issue('github', '/CN=github', `IP:${hostname}`);
    const [key, cert, ca] = await Promise.all(
      ['github.key', 'github.crt', 'ca.crt'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    const github = createServer({ key, cert }, (incoming, reply) => {
      const { method, url: path, headers } = incoming;
      const onward = request({ hostname, port, method, path, headers }, (answer) => {
        reply.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(reply);
      });
      incoming.pipe(onward);
    });
    await new Promise<void>((resolve) => void github.listen(0, hostname, resolve));
    started.defer(() => void github.close());
    await useSample(TOKEN_SAMPLE, `https://${hostname}:${(github.address() as AddressInfo).port}`);
    await world.holds(
      async () => expect(await field('.status.conditions[?(@.type=="Ready")].message')).toMatch(/certificate/),
      60_000,
    );
    await page.write('config/mine/kustomization.yaml');
    await page.put('ca.crt', ca ?? '');
    await page.run('kubectl create configmap headwater-custom-ca');
    await page.run('kubectl apply -k config/mine');
    await rolledOut('headwater-controller');
    await ready();
    await removeSource();
  });
});

/** What the reader makes for the adapter of one source. */
const ingress = (service: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'own' },
  spec: {
    tls: [{ hosts: ['own.example.com'] }],
    rules: [
      {
        host: 'own.example.com',
        http: {
          paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: service, port: { number: 80 } } } }],
        },
      },
    ],
  },
});

describe('docs/install.md, with config/dedicated', () => {
  it('makes an adapter for a source: a Deployment', async () => {
    await page.run('kubectl apply -k config/dedicated');
    await rolledOut('headwater-controller');
    await useSample('config/samples/dedicated/githubsource.yaml');
    const name = 'hello-world-githubsource-adapter';
    await world.applyIn('demo', ingress(name));
    await ready();
    expect(await field('.status.webhookURL')).toMatch(/^https:\/\/own\.example\.com\/hooks\//);
    await shows(LOGS, await ping(pods.of(name)[0]?.url('http') ?? ''));
    await removeSource();
    await world.holds(() => expect(pods.of(name)).toEqual([]));
  });
});

describe('docs/install.md, with Knative Serving', () => {
  it('makes an adapter for a source: a Knative Service', async () => {
    await world.kubectl('apply', '--server-side', '-f', await servingCrd());
    await useSample('config/samples/dedicated/githubsource.yaml');
    const name = 'hello-world-githubsource';
    await world.holds(
      () => world.kubectl('get', 'services.serving.knative.dev', name, '-n', 'demo').then(() => undefined),
      60_000,
    );
    const pod = await serving.rollOut('demo', name);
    await ready();
    expect(await field('.status.webhookURL')).toContain(publicUrlOf('demo', name));
    await shows(LOGS, await ping(pod.url('user-port')));
    await removeSource();
  });

  it('has the shared adapter as a Knative Service with config/knative', async () => {
    await useSample(TOKEN_SAMPLE);
    await ready();
    const [hook] = world.github.hooks;
    await page.run('kubectl apply -k config/knative');
    const pod = await serving.rollOut('headwater', 'headwater-hooks');
    for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const)
      expect(await pod.passes(probe)).toBe(true);
    await page.run('kubectl wait -n headwater --for=condition=Ready ksvc/headwater-hooks');
    await page.run('PUBLIC_URL-');
    await rolledOut('headwater-controller');
    await world.holds(
      () => expect(world.github.hooks[0]?.config.url).toContain(publicUrlOf('headwater', 'headwater-hooks')),
      60_000,
    );
    expect(world.github.hooks.map(({ id }) => id)).toEqual([hook?.id]);
    // What GitHub sent before comes the old way, the last of it to whichever pod.
    for (const address of [adapter(), pod.url('user-port')]) await shows(LOGS, await ping(address));
    await page.run('kubectl delete -n headwater deployment,hpa');
    await world.holds(() => expect(pods.of('headwater-adapter')).toEqual([]));
    expect(await backendsOf('headwater-adapter')).toEqual(['8080', '8090']);
    await ready();
    await removeSource();
    await page.run('kubectl delete -n demo -k config/event-dumper');
    await page.run('kubectl apply -n demo -k config/event-dumper/knative');
    await serving.rollOut('demo', 'event-dumper');
    await useSample('config/samples/knative-service/githubsource.yaml');
    await ready();
    expect(await field('.status.webhookURL')).toContain(publicUrlOf('headwater', 'headwater-hooks'));
    await shows('kubectl logs -n demo -l app=event-dumper', await ping(pod.url('user-port')));
    await removeSource();
  });
});

describe('docs/install.md', () => {
  it('takes the rights to all Secrets away again with config/namespaced', async () => {
    const mayRead = (namespace: string) =>
      world
        .kubectl(
          'auth',
          'can-i',
          'get',
          'secrets',
          '-n',
          namespace,
          `--as=system:serviceaccount:headwater:${PLANES[0]}`,
        )
        .catch(() => 'no\n');
    await world.kubectl('delete', '-f', join(import.meta.dirname, '../../config/dedicated'));
    await page.run('kubectl apply -k config/namespaced');
    await page.run('kubectl delete clusterrolebinding');
    expect([await mayRead('default'), await mayRead('demo')]).toEqual(['no\n', 'yes\n']);
  });

  it('has an overlay by which the adapter as a Knative Service calls sinks by a proxy', async () => {
    await page.write('config/behind-proxy/kustomization.yaml');
    const text = await world.kubectl('kustomize', world.file('checkout/config/behind-proxy'));
    const objects = parseAllDocuments(text).map((document) => document.toJS() as KnativeService);
    const service = objects.find(({ metadata }) => metadata.name === 'headwater-hooks');
    const [{ env } = { env: [] }] = service?.spec.template.spec.containers ?? [];
    expect(env.map(({ name }) => name)).toEqual(['ROUTES_NAMESPACE', 'HTTPS_PROXY']);
  });

  it('has no command of ours that was not run here, or to build images by "npm run test:images"', async () => {
    const left = await page.left();
    expect(left.filter((command) => !command.startsWith('buildah build '))).toEqual([]);
  });
});
