import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient } from '../controller/kube/api-client.ts';
import { type Resource, Resources } from '../controller/kube/resources.ts';
import { ConfigurationError, messageOf } from '../core/errors.ts';
import { ApiStatusError } from '../core/list-watch.ts';
import {
  type ApplyOptions,
  type KubeKind,
  kindText,
  type LiveObject,
  nameOf,
  type ObjectName,
  type WireCluster,
  WriteRefused,
} from '../wire/cluster.ts';
import type { PlannedObject } from '../wire/planned-object.ts';

const FIELD_MANAGER = 'headwater-wire';
/** Answers to a write that are about the object and not about the connection. */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 404, 409, 422]);

/** What client-node makes up where it finds no kubeconfig: it would ask this machine. */
const CONTEXT_OF_NONE = 'loaded-context';
const NO_KUBECONFIG =
  'there is no kubeconfig: KUBECONFIG names none, and ~/.kube/config is not there; set KUBECONFIG, or give --kubeconfig FILE';

export interface KubeconfigOptions {
  /** undefined: as kubectl finds it. */
  readonly file: string | undefined;
  /** undefined: the current one. */
  readonly context: string | undefined;
}

/**
 * The cluster a kubeconfig names.
 * @throws ConfigurationError
 */
export function openCluster({ file, context }: KubeconfigOptions): KubeWireCluster {
  const config = new KubeConfig();
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
    if (config.getCurrentContext() === CONTEXT_OF_NONE) throw new ConfigurationError('kubeconfig', [NO_KUBECONFIG]);
    if (context !== undefined) config.setCurrentContext(context);
    if (config.getCurrentCluster()?.server.startsWith('https:') !== true)
      throw new Error('it names no cluster with an https address; set KUBECONFIG, or give --kubeconfig');
    return new KubeWireCluster(new ApiClient(config));
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw new ConfigurationError('kubeconfig', [`the kubeconfig cannot be used: ${messageOf(error)}`], {
      cause: error,
    });
  }
}

/** A cluster over its API. */
export class KubeWireCluster implements WireCluster {
  readonly #api: ApiClient;
  readonly #resources: Resources;
  readonly #allowed = new Map<string, Promise<boolean>>();

  constructor(api: ApiClient) {
    this.#api = api;
    this.#resources = new Resources(api);
  }

  close(): Promise<void> {
    return this.#api.close();
  }

  async knows(kind: KubeKind): Promise<boolean> {
    return (await this.#resources.find(kind)) !== undefined;
  }

  async hasNamespace(name: string): Promise<boolean> {
    // Who may not look at namespaces is told by the objects in them.
    return (
      (await unlessAbsent(this.#api.call('GET', `/api/v1/namespaces/${encodeURIComponent(name)}`), [403])) !== 'absent'
    );
  }

  isAllowed(verb: string, kind: KubeKind, namespace = ''): Promise<boolean> {
    const key = JSON.stringify([verb, kindText(kind), namespace]);
    const known = this.#allowed.get(key) ?? this.#review(verb, kind, namespace);
    this.#allowed.set(key, known);
    return known;
  }

  async read(name: ObjectName): Promise<LiveObject | undefined> {
    const found = await unlessAbsent(this.#api.call<LiveObject>('GET', await this.#pathOf(name)));
    return found === 'absent' ? undefined : found;
  }

  /** All objects of a kind, of all namespaces; none, where the cluster does not know it. */
  async all(kind: KubeKind): Promise<readonly LiveObject[]> {
    return (await this.knows(kind)) ? this.#list(kind) : [];
  }

  withLabel(kind: KubeKind, label: string, value: string): Promise<readonly LiveObject[]> {
    return this.#list(kind, `${label}=${value}`);
  }

  async #list(kind: KubeKind, labelSelector?: string): Promise<readonly LiveObject[]> {
    const resource = await this.#resourceOf(kind);
    const objects: LiveObject[] = [];
    let next: string | undefined;
    do {
      const query = { labelSelector, limit: 500, continue: next };
      const list = await this.#api.call<ObjectList>('GET', resource.collection(), { query });
      // Items of a list do not say what they are.
      objects.push(...list.items.map((item) => ({ ...item, apiVersion: kind.apiVersion, kind: kind.kind })));
      next = list.metadata.continue;
    } while (next);
    return objects;
  }

  async apply(object: PlannedObject['object'], { isDryRun, force }: ApplyOptions): Promise<LiveObject> {
    const query = { fieldManager: FIELD_MANAGER, force, fieldValidation: 'Strict', ...(isDryRun && { dryRun: 'All' }) };
    const path = await this.#pathOf(nameOf(object));
    const contentType = 'application/apply-patch+yaml';
    return written(this.#api.call<LiveObject>('PATCH', path, { query, body: object, contentType }));
  }

  async remove(object: LiveObject): Promise<void> {
    const { uid, resourceVersion } = object.metadata;
    const path = await this.#pathOf(nameOf(object));
    await unlessAbsent(written(this.#api.call('DELETE', path, { body: { preconditions: { uid, resourceVersion } } })));
  }

  async #review(verb: string, kind: KubeKind, namespace: string): Promise<boolean> {
    const { plural: resource } = await this.#resourceOf(kind);
    const group = kind.apiVersion.includes('/') ? kind.apiVersion.split('/')[0] : '';
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb, group, resource, namespace } },
    };
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const { status } = await this.#api.call<{ status: { allowed: boolean } }>('POST', path, { body: review });
    return status.allowed;
  }

  async #pathOf({ namespace, name, ...kind }: ObjectName): Promise<string> {
    return `${(await this.#resourceOf(kind)).collection(namespace)}/${encodeURIComponent(name)}`;
  }

  /** Kinds are asked for before anything else. */
  async #resourceOf(kind: KubeKind): Promise<Resource> {
    const resource = await this.#resources.find(kind);
    if (!resource) throw new Error(`the cluster has no kind ${kindText(kind)}`);
    return resource;
  }
}

interface ObjectList {
  readonly metadata: { readonly continue?: string };
  readonly items: readonly LiveObject[];
}

/** `or`: further codes that are no failure. */
async function unlessAbsent<Answer>(
  answer: Promise<Answer>,
  or: readonly number[] = [],
): Promise<Answer | 'absent' | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiStatusError && error.code === 404) return 'absent';
    if (error instanceof ApiStatusError && or.includes(error.code)) return undefined;
    throw error;
  }
}

async function written<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ApiStatusError) || !REFUSALS.has(error.code) || error.code === 404) throw error;
    throw new WriteRefused(messageOf(error), { cause: error });
  }
}
