import type { ApiClient } from '../../controller/kube/api-client.ts';
import { MERGE_PATCH } from '../../controller/kube/merge-patch.ts';
import { transportOf } from '../../controller/kube/transport.ts';
import type { SourceObject } from '../../controller/objects.ts';
import { messageOf } from '../../core/errors.ts';
import { type ApiObject, ListWatch } from '../../core/list-watch.ts';

const GROUP = '/apis/sources.knative.dev/v1alpha1';
const BROKERS = '/apis/eventing.knative.dev/v1';
const WRITERS = 16;
const PER_NAMESPACE = 200;
const PER_REPOSITORY = 20;

export interface SourceName {
  readonly namespace: string;
  readonly name: string;
}

interface Seen extends ApiObject {
  readonly isReady: boolean;
}

/** The sources of a stage: 20 of a repository, which is what GitHub allows, and 200 of a namespace, with a Broker each. */
export class Population {
  readonly names: readonly SourceName[];
  readonly #api: ApiClient;
  readonly #seen: ListWatch<Seen>;

  constructor(api: ApiClient, count: number) {
    this.#api = api;
    this.names = Array.from({ length: count }, (_, index) => ({
      namespace: `team-${Math.floor(index / PER_NAMESPACE)}`,
      name: `source-${index}`,
    }));
    this.#seen = new ListWatch<Seen>({
      transport: transportOf<Seen>(api, `${GROUP}/githubsources`, { keep: seen }),
      onChange: () => undefined,
      onGone: () => undefined,
      onFailure: (error) => process.stderr.write(`bench: sources not watched: ${messageOf(error)}\n`),
    });
  }

  get ready(): number {
    return this.#seen.all().filter(({ isReady }) => isReady).length;
  }

  uidOf({ namespace, name }: SourceName): string {
    return this.#seen.get(`${namespace}/${name}`)?.metadata.uid ?? '';
  }

  async create(githubUrl: string): Promise<void> {
    for (const namespace of new Set(this.names.map((name) => name.namespace))) await this.#createNamespace(namespace);
    await inTurn(this.names, async ({ namespace, name }, index) => {
      const body = sourceObject(name, Math.floor(index / PER_REPOSITORY), githubUrl);
      await this.#api.call('POST', `${GROUP}/namespaces/${namespace}/githubsources`, { body });
    });
    this.#seen.start();
    await this.#seen.firstList;
  }

  /** Changes what events of this source carry. */
  async edit({ namespace, name }: SourceName, edition: string): Promise<void> {
    const path = `${GROUP}/namespaces/${namespace}/githubsources/${name}`;
    const body = { spec: { ceOverrides: { extensions: { edition } } } };
    await this.#api.call('PATCH', path, { body, contentType: MERGE_PATCH });
  }

  stop(): Promise<void> {
    return this.#seen.stop();
  }

  async #createNamespace(namespace: string): Promise<void> {
    await this.#api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: namespace } } });
    const data = { accessToken: 'token', secretToken: 's3cret' };
    const secret = { metadata: { name: 'github' }, stringData: data };
    await this.#api.call('POST', `/api/v1/namespaces/${namespace}/secrets`, { body: secret });
    const path = `${BROKERS}/namespaces/${namespace}/brokers`;
    const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name: 'default' }, spec: {} };
    await this.#api.call('POST', path, { body: broker });
    // As its own controller would; nothing is ever sent there.
    const status = { address: { url: `http://127.0.0.1:9/${namespace}` } };
    await this.#api.call('PATCH', `${path}/default/status`, { body: { status }, contentType: MERGE_PATCH });
  }
}

function seen(object: Seen): Seen {
  const { metadata, status } = object as unknown as SourceObject;
  const isReady = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
  const { name, namespace, uid, resourceVersion } = metadata;
  return { metadata: { name, namespace, uid, resourceVersion }, isReady };
}

function sourceObject(name: string, repository: number, githubUrl: string): object {
  return {
    apiVersion: 'sources.knative.dev/v1alpha1',
    kind: 'GitHubSource',
    metadata: { name },
    spec: {
      ownerAndRepository: `octo/repository-${repository}`,
      eventTypes: ['push', 'issues', 'pull_request'],
      accessToken: { secretKeyRef: { name: 'github', key: 'accessToken' } },
      secretToken: { secretKeyRef: { name: 'github', key: 'secretToken' } },
      githubAPIURL: githubUrl,
      sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } },
    },
  };
}

async function inTurn<Item>(items: readonly Item[], act: (item: Item, index: number) => Promise<void>): Promise<void> {
  const left = items.entries();
  const work = async () => {
    for (const [index, item] of left) await act(item, index);
  };
  await Promise.all(Array.from({ length: WRITERS }, work));
}
