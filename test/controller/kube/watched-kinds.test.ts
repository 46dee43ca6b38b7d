import { afterEach, describe, expect, it, vi } from 'vitest';
import { readControllerConfig } from '../../../controller/config.ts';
import type { ApiClient } from '../../../controller/kube/api-client.ts';
import { KubeCluster } from '../../../controller/kube/kube-cluster.ts';
import { Resources } from '../../../controller/kube/resources.ts';
import { routeSecret } from '../../../controller/kube/route-secret.ts';
import type { ObjectKind, ObjectReference } from '../../../controller/objects.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';
import { createLog } from '../../../core/log.ts';
import { aRoute } from '../../support/builders.ts';

const SECRET = { apiVersion: 'v1', kind: 'Secret' };
const SOURCE = { apiVersion: 'sources.knative.dev/v1alpha1', kind: 'GitHubSource' };
const RESOURCES = [
  { name: 'secrets', kind: 'Secret', namespaced: true },
  { name: 'githubsources', kind: 'GitHubSource', namespaced: true },
];

let cluster: KubeCluster | undefined;
afterEach(() => cluster?.stop());

interface Asked {
  readonly query: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  readonly accept?: unknown;
}

/** An API server that has `items` at a path, and refuses the paths in `refused`. */
function clusterOf(
  namespaces: readonly string[],
  items: Readonly<Record<string, object[]>> = {},
  refused: string[] = [],
) {
  const watched: string[] = [];
  const queries: object[] = [];
  const onWatchFailure = vi.fn<() => void>();
  const onKind = vi.fn<(kind: ObjectKind) => void>();
  /** What another group has, and how often it was asked for. */
  const late: { kinds: object[]; asked: number } = { kinds: [], asked: 0 };
  const listAt = (path: string) => {
    if (refused.includes(path)) throw new ApiStatusError(`GET ${path}`, 403, 'no');
    return { metadata: { resourceVersion: '1' }, items: items[path] ?? [] };
  };
  const api = {
    call: async (_method: string, path: string) => {
      if (path.includes('late.example.com')) {
        late.asked += 1;
        return { resources: late.kinds };
      }
      if (/\/v1(alpha1)?$/.test(path)) return { resources: RESOURCES };
      return listAt(path);
    },
    async *chunks(path: string, { query, accept }: Asked) {
      queries.push({ fieldSelector: query['fieldSelector'], ...(accept !== undefined && { accept }) });
      yield new TextEncoder().encode(JSON.stringify(listAt(path)));
    },
    async *lines(path: string, { signal, query, accept }: Asked) {
      watched.push(path);
      queries.push({ fieldSelector: query['fieldSelector'], ...(accept !== undefined && { accept }) });
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      yield* [];
    },
  } as unknown as ApiClient;
  cluster = new KubeCluster({
    api,
    resources: new Resources(api),
    namespaces,
    routesNamespace: 'headwater-routes',
    systemNamespace: 'headwater',
    adapterStates: async () => [],
    orphans: { record: async () => undefined },
    now: () => new Date(),
    log: createLog('silent').log,
    onWatchFailure,
    onKind,
  });
  return { cluster, watched, queries, onWatchFailure, onKind, late };
}

const named = (namespace: string, name: string) => ({ metadata: { namespace, name, uid: name, resourceVersion: '1' } });

describe('where no namespaces are listed', () => {
  it('a kind is watched once, in all of them, whatever is named of it', async () => {
    const { cluster: all, watched } = clusterOf([], { '/api/v1/secrets': [named('a', 'x'), named('b', 'y')] });
    const told: string[] = [];
    const tell = ({ name }: ObjectReference) => void told.push(name);
    all.watch({ ...SECRET, namespace: 'a' }, tell);
    all.watch({ ...SECRET, namespace: 'b' }, tell);
    await vi.waitFor(() => expect(watched).toEqual(['/api/v1/secrets']));
    all.watch({ ...SECRET, namespace: 'b' }, tell);
    expect(told).toEqual(['x', 'y']);
    all.watch(SECRET, ({ name }) => void told.push(`${name} for another`));
    expect(told.slice(2)).toEqual(['x for another', 'y for another']);
  });
});

it('a kind that comes is told of, and one that was there is not', async () => {
  const { cluster: all, late, onKind, watched } = clusterOf([]);
  all.watch({ apiVersion: 'late.example.com/v1', kind: 'Late' }, () => undefined);
  all.watch(SECRET, () => undefined);
  await vi.waitFor(() => expect(late.asked).toBeGreaterThan(2));
  expect(watched).toEqual(['/api/v1/secrets']);
  expect(onKind).not.toHaveBeenCalled();
  late.kinds = [{ name: 'lates', kind: 'Late', namespaced: true }];
  all.definitionsChanged('late.example.com');
  await vi.waitFor(() => expect(onKind.mock.calls).toEqual([[{ apiVersion: 'late.example.com/v1', kind: 'Late' }]]));
});

describe('where some are', () => {
  const SOURCES = '/apis/sources.knative.dev/v1alpha1';

  it('sources are watched in these, and what they name where it is', async () => {
    const { cluster: some, watched } = clusterOf(['a', 'b']);
    some.watch(SOURCE, () => undefined);
    some.watch({ ...SECRET, namespace: 'headwater-routes' }, () => undefined);
    some.watch({ ...SECRET, namespace: 'a' }, () => undefined);
    const paths = [
      `${SOURCES}/namespaces/a/githubsources`,
      `${SOURCES}/namespaces/b/githubsources`,
      '/api/v1/namespaces/a/secrets',
      '/api/v1/namespaces/headwater-routes/secrets',
    ];
    await vi.waitFor(() => expect(watched.toSorted()).toEqual(paths.toSorted()));
  });

  it('one that may not be read holds up no other, and counts as failed', async () => {
    const paths = ['a', 'b'].map((namespace) => `/api/v1/namespaces/${namespace}/secrets`);
    const {
      cluster: some,
      watched,
      onWatchFailure,
    } = clusterOf(['a', 'b'], { [paths[1] ?? '']: [named('b', 'y')] }, paths.slice(0, 1));
    const told: string[] = [];
    some.watch(SECRET, ({ namespace, name }) => void told.push(`${namespace}/${name}`));
    await vi.waitFor(() => expect(watched).toEqual(paths.slice(1)));
    expect(told).toEqual(['b/y']);
    expect(onWatchFailure).toHaveBeenCalledTimes(1);
  });

  it('routes of sources in others are not asked about', async () => {
    const routes = ['a', 'c'].map((namespace) =>
      routeSecret(aRoute({ uid: `of-${namespace}`, namespace }), 'headwater-routes', 'headwater'),
    );
    const items = { '/api/v1/namespaces/headwater-routes/secrets': routes };
    expect((await clusterOf(['a', 'b'], items).cluster.publishedRoutes()).map(({ uid }) => uid)).toEqual(['of-a']);
    const all = await clusterOf([], items).cluster.publishedRoutes();
    expect(all.map(({ uid }) => uid)).toEqual(['of-a', 'of-c']);
  });
});

describe('WATCH_NAMESPACES', () => {
  const namesIn = (value: string) => readControllerConfig({ WATCH_NAMESPACES: value }, 'pod').watchNamespaces;

  it('is a list, each once; empty: all', () => {
    expect(namesIn(' team-a, team-b,team-a')).toEqual(['team-a', 'team-b']);
    expect(namesIn('')).toEqual([]);
  });

  it.each(['team a', 'Team', '-a', '*'])('refuses %j', (value) =>
    expect(() => namesIn(`team-b,${value}`)).toThrow('WATCH_NAMESPACES must be names'),
  );
});

it('what is followed is asked for where it is, whatever namespaces are listed, and told as it is kept', async () => {
  const SECRETS = '/api/v1/namespaces/headwater/secrets';
  const { cluster: some, watched, queries } = clusterOf(['a'], { [SECRETS]: [named('headwater', 'x')] });
  const told: unknown[] = [];
  some.follow({
    kind: SECRET,
    namespace: 'headwater',
    name: 'x',
    keep: ({ metadata }) => metadata.name.toUpperCase(),
    onChange: (_reference, kept) => void told.push(kept),
    onKnown: (known) => void told.push(known),
  });
  await vi.waitFor(() => expect(watched).toEqual([SECRETS]));
  expect(told).toEqual(['X', 'all']);
  expect(queries).toEqual([{ fieldSelector: 'metadata.name=x' }, { fieldSelector: 'metadata.name=x' }]);
});
