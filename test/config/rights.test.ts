import pino from 'pino';
import { expect, it, vi } from 'vitest';
import { AdapterEndpoints, slicesOf } from '../../controller/kube/adapter-endpoints.ts';
import type { ApiClient } from '../../controller/kube/api-client.ts';
import { Definitions } from '../../controller/kube/definitions.ts';
import { FollowedLeases } from '../../controller/kube/followed-leases.ts';
import { KnativeServices } from '../../controller/kube/knative-services.ts';
import { KubeChildren } from '../../controller/kube/kube-children.ts';
import { KubeCluster } from '../../controller/kube/kube-cluster.ts';
import { Lease } from '../../controller/kube/lease.ts';
import { OrphanedHooks } from '../../controller/kube/orphaned-hooks.ts';
import { Resources } from '../../controller/kube/resources.ts';
import type { SourceObject } from '../../controller/objects.ts';
import { FollowedAddresses } from '../../controller/public-addresses.ts';
import { ApiStatusError } from '../../core/list-watch.ts';
import {
  dedicatedRights,
  migrationRights,
  ROUTES_NAMESPACE,
  rightsOf,
  SYSTEM_NAMESPACE,
  tokenRightsOf,
} from '../../scripts/rbac.ts';
import { objectKindOf } from '../../sources/crd.ts';
import { sources } from '../../sources/registry.ts';
import { aRoute } from '../support/builders.ts';

const CONTROLLER = 'headwater-controller';

/** One thing the controller may do, or did; `namespace` undefined: in all of them. */
interface Right {
  readonly verb: string;
  /** `group/resource`, with the subresource if there is one. */
  readonly on: string;
  readonly namespace?: string | undefined;
}
const textOf = ({ verb, on, namespace }: Right) => `${verb} ${on}${namespace ? ` in ${namespace}` : ''}`;
const covers = (granted: Right, used: Right) =>
  granted.verb === used.verb &&
  granted.on === used.on &&
  (granted.namespace === undefined || granted.namespace === used.namespace);

interface Role {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  readonly subjects?: readonly { readonly name: string }[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
}

function grantedBy(objects: readonly object[]): Right[] {
  const roles = objects as readonly Role[];
  const bound = roles.filter(({ subjects }) => subjects?.some(({ name }) => name === CONTROLLER));
  return bound.flatMap(({ roleRef, metadata: { namespace } }) => {
    const role = roles.find(
      ({ kind, metadata }) =>
        kind === roleRef?.kind && metadata.name === roleRef.name && metadata.namespace === namespace,
    );
    return (role?.rules ?? []).flatMap(({ apiGroups, resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ verb, on: `${apiGroups[0]}/${resource}`, namespace }))),
    );
  });
}

const KINDS: Readonly<Record<string, readonly [kind: string, plural: string][]>> = {
  v1: [
    ['Secret', 'secrets'],
    ['Service', 'services'],
  ],
  'apps/v1': [['Deployment', 'deployments']],
  'eventing.knative.dev/v1': [['Broker', 'brokers']],
  'messaging.knative.dev/v1': [
    ['Channel', 'channels'],
    ['InMemoryChannel', 'inmemorychannels'],
  ],
  'networking.k8s.io/v1': [['Ingress', 'ingresses']],
  'gateway.networking.k8s.io/v1': [
    ['Gateway', 'gateways'],
    ['HTTPRoute', 'httproutes'],
  ],
  'serving.knative.dev/v1': [['Service', 'services']],
  'sources.knative.dev/v1alpha1': [['GitHubSource', 'githubsources']],
};

/** Of these nobody reads a single one. */
const FOLLOWED = /networking/;

const VERBS: Readonly<Record<string, string>> = { PATCH: 'patch', PUT: 'update', POST: 'create', DELETE: 'delete' };

/** An API server that notes which rights a request takes. */
class NotingApi {
  readonly used: Right[] = [];
  #lease: unknown;

  readonly call = async (
    method: string,
    path: string,
    { body, contentType = '' }: { body?: unknown; contentType?: string } = {},
  ) => {
    const [, apiVersion = ''] = /^\/apis?\/([^/]+(?:\/[^/]+)?)$/.exec(path) ?? [];
    if (method === 'GET' && KINDS[apiVersion])
      return { resources: KINDS[apiVersion].map(([kind, name]) => ({ kind, name, namespaced: true })) };
    const { name } = this.#note(method, path);
    // An apply may make the object.
    if (contentType.includes('apply-patch')) this.#note('POST', path);
    if (path.includes('/leases/') && method === 'GET' && !this.#lease) throw new ApiStatusError(path, 404, 'none yet');
    if (path.includes('/leases') && method !== 'GET') this.#lease = body;
    if (path.endsWith('/leases/headwater-controller')) return this.#lease;
    if (name === 'headwater-orphaned-hooks' && method === 'PATCH') throw new ApiStatusError(path, 404, 'none yet');
    return { metadata: { name: name ?? 'x' }, items: [], status: { token: 't' } };
  };

  async *chunks(path: string) {
    this.#note('GET', path);
    yield new TextEncoder().encode(JSON.stringify({ metadata: { resourceVersion: '1' }, items: [] }));
  }

  async *lines(path: string, { signal }: { signal: AbortSignal }) {
    this.#note('GET', path, 'watch');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    yield* [];
  }

  #note(method: string, path: string, verb?: string): { name: string | undefined } {
    const parts =
      /^\/(?:api\/v1|apis\/(?<group>[^/]+)\/[^/]+)(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<sub>[^/]+))?$/.exec(
        path,
      )?.groups;
    const { group = '', namespace, resource, name, sub } = parts ?? {};
    const reads = name === undefined ? 'list' : 'get';
    this.used.push({
      verb: verb ?? VERBS[method] ?? reads,
      on: `${group}/${resource}${sub ? `/${sub}` : ''}`,
      namespace,
    });
    return { name };
  }
}

const source = {
  apiVersion: 'sources.knative.dev/v1alpha1',
  kind: 'GitHubSource',
  metadata: { uid: 'u1', namespace: 'demo', name: 'hello' },
} as SourceObject;
const log = pino({ level: 'silent' });
const inDemo = (apiVersion: string, kind: string) => ({ apiVersion, kind, namespace: 'demo', name: 'x' });

/** All that is asked of the API server, by everything that asks. */
async function everything(noting: NotingApi): Promise<void> {
  const api = noting as unknown as ApiClient;
  const resources = new Resources(api);
  const lease = new Lease({
    api,
    namespace: SYSTEM_NAMESPACE,
    name: 'headwater-controller',
    identity: 'me',
    timings: { leaseMs: 3000, renewDeadlineMs: 2000, retryMs: 5 },
    log,
  });
  const leases = new FollowedLeases({ api, namespace: 'knative-sources', everyMs: 5, onLook: () => undefined, log });
  const slices = slicesOf(api, SYSTEM_NAMESPACE, 'headwater-adapter');
  const endpoints = new AdapterEndpoints({ slices, onChange: () => undefined, log });
  const definitions = new Definitions({ api, onChange: () => undefined, log });
  const orphans = new OrphanedHooks({ api, systemNamespace: SYSTEM_NAMESPACE, log });
  const options = {
    api,
    resources,
    routesNamespace: ROUTES_NAMESPACE,
    systemNamespace: SYSTEM_NAMESPACE,
    adapterStates: async () => [],
    orphans,
    now: () => new Date(),
    log,
  };
  const cluster = new KubeCluster({ ...options, namespaces: [] });
  // Of the routes it follows their own namespace alone.
  const ofSome = new KubeCluster({ ...options, namespaces: ['demo'] });
  await lease.acquire(() => undefined);
  for (const part of [leases, endpoints, definitions]) part.start();
  for (const kind of sources.map(objectKindOf)) cluster.watch(kind, () => undefined);
  for (const [apiVersion, kinds] of Object.entries(KINDS)) {
    if (FOLLOWED.test(apiVersion)) continue;
    for (const [kind] of kinds) {
      cluster.watch({ apiVersion, kind, namespace: 'demo' }, () => undefined);
      await cluster.get(inDemo(apiVersion, kind));
    }
  }
  ofSome.watch(ofSome.routeObject('u1'), () => undefined);
  for (const [of, namespaces, namespace] of [
    [cluster, [], undefined],
    [ofSome, ['demo'], SYSTEM_NAMESPACE],
  ] as const) {
    const shared = { namespace: SYSTEM_NAMESPACE, name: 'headwater-adapter' };
    const told = { onChange: () => undefined, settleMs: 1, firstWaitMs: 1 };
    const addresses = { shared, sharedKnativeService: shared, hasDedicated: true, namespaces };
    await new FollowedAddresses({ cluster: of, ...addresses, ...told }).of(shared);
    // As when an HTTPRoute names one.
    const kind = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway' };
    of.follow({ kind, namespace, keep: () => undefined, onChange: () => undefined, onKnown: () => undefined });
  }
  await cluster.readSecretKey('demo', { name: 'github', key: 'x' });
  await cluster.addFinalizer(source, 'x');
  await cluster.writeStatus(source, { observedGeneration: 1 });
  await cluster.publishRoute(aRoute());
  await cluster.readRoute('u1');
  await cluster.publishedRoutes();
  await cluster.removeRoute('u1');
  await cluster.requestToken(source, 'sink');
  for (let time = 0; time < 2; time += 1) await cluster.announce(source, { type: 'Normal', reason: 'R', message: 'm' });
  await orphans.count();
  await cluster.recordOrphan(source, { api: 'a', repository: 'r', id: '1', secretVersion: '1' });
  const children = new KubeChildren(api, resources);
  for (const [apiVersion, kind] of [
    ['v1', 'Secret'],
    ['v1', 'Service'],
    ['apps/v1', 'Deployment'],
    ['serving.knative.dev/v1', 'Service'],
  ] as const) {
    await children.apply({ apiVersion, kind, metadata: { namespace: 'demo', name: 'x' } });
    await children.remove({ ...inDemo(apiVersion, kind), uid: 'u' });
  }
  await children.servingFeatures();
  await children.statesOf(source);
  const services = new KnativeServices(api, resources);
  await services.controlledBy(source, 'receive-adapter');
  await services.remove({ namespace: 'demo', name: 'x', uid: 'u', host: undefined });
  await vi.waitFor(() => {
    for (const expected of [
      'watch networking.k8s.io/ingresses',
      `watch networking.k8s.io/ingresses in ${SYSTEM_NAMESPACE}`,
      `watch gateway.networking.k8s.io/httproutes in ${SYSTEM_NAMESPACE}`,
      `watch gateway.networking.k8s.io/gateways in ${SYSTEM_NAMESPACE}`,
      `watch serving.knative.dev/services in ${SYSTEM_NAMESPACE}`,
      'watch /secrets',
      `watch /secrets in ${ROUTES_NAMESPACE}`,
      'watch apiextensions.k8s.io/customresourcedefinitions',
      'list coordination.k8s.io/leases in knative-sources',
      `update coordination.k8s.io/leases in ${SYSTEM_NAMESPACE}`,
      `watch discovery.k8s.io/endpointslices in ${SYSTEM_NAMESPACE}`,
    ])
      expect(noting.used.map(textOf)).toContain(expected);
  });
  await Promise.all([leases.stop(), endpoints.stop(), definitions.stop(), cluster.stop(), ofSome.stop()]);
  await lease.release();
}

it('the rights of config/ are those the controller uses, and no others', async () => {
  const api = new NotingApi();
  await everything(api);
  const granted = grantedBy([...rightsOf(), ...tokenRightsOf(), ...migrationRights(), ...dedicatedRights()]);
  const missing = api.used.filter((used) => !granted.some((right) => covers(right, used)));
  expect([...new Set(missing.map(textOf))]).toEqual([]);
  const unused = granted.filter((right) => !api.used.some((used) => covers(right, used)));
  // What an admission plugin asks for, for the sake of objects that a source owns.
  expect([...new Set(unused.map(textOf))]).toEqual(['update sources.knative.dev/githubsources/finalizers']);
});
