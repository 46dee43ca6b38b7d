import { ApiStatusError } from '../../core/list-watch.ts';
import { statesOfReady } from '../adapter-state.ts';
import { AdmissionError } from '../admission-error.ts';
import type { ChildStore, ChildWrite } from '../children.ts';
import type { AdapterState } from '../cluster.ts';
import type { KubeObject, ObjectKind, ObjectReference, SourceObject } from '../objects.ts';
import { INTERNAL_PORT } from '../resources/adapter-pod.ts';
import { type ChildObject, UID_LABEL } from '../resources/child.ts';
import { type EndpointSlice, readyHostsIn } from './adapter-endpoints.ts';
import type { ApiClient } from './api-client.ts';
import { applyObject } from './apply.ts';
import type { Resources } from './resources.ts';

const FEATURES = '/api/v1/namespaces/knative-serving/configmaps/config-features';
/** Serving's Services for a revision have its labels; the public one leads elsewhere while nothing runs. */
const NOT_PUBLIC = 'networking.internal.knative.dev/serviceType!=Public';
/** Which refusals a user can do something about. */
const REFUSED: ReadonlySet<number> = new Set([400, 409, 422]);
/**
 * The API server's own sentences where a right is missing (the second: that to finalizers of sources); what a quota or a
 * policy forbids has the same code and reason.
 */
const NO_RIGHT = / cannot (?:\S+ resource "|set blockOwnerDeletion )/;

/** What is made for single sources in a real cluster. */
export class KubeChildren implements ChildStore {
  readonly #api: Pick<ApiClient, 'call'>;
  readonly #resources: Pick<Resources, 'find'>;

  constructor(api: Pick<ApiClient, 'call'>, resources: Pick<Resources, 'find'>) {
    this.#api = api;
    this.#resources = resources;
  }

  async knows(kind: ObjectKind): Promise<boolean> {
    return (await this.#resources.find(kind)) !== undefined;
  }

  async apply(child: ChildObject): Promise<ChildWrite> {
    const path = await this.#pathOf({ ...child, ...child.metadata });
    if (path === undefined)
      return { kind: 'refused', why: `the cluster has no kind ${child.kind} of ${child.apiVersion}` };
    try {
      return { kind: 'written', object: await applyObject<KubeObject>(this.#api, path, child) };
    } catch (error) {
      return writeOf(error);
    }
  }

  async remove({ uid, ...reference }: ObjectReference & { readonly uid: string }): Promise<ChildWrite> {
    const path = await this.#pathOf(reference);
    if (path === undefined) return { kind: 'gone' };
    try {
      const options = { preconditions: { uid }, propagationPolicy: 'Background' };
      await this.#api.call('DELETE', path, { body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options } });
      return { kind: 'gone' };
    } catch (error) {
      // 409: it is another one by now.
      if (error instanceof ApiStatusError && (error.code === 404 || error.code === 409)) return { kind: 'gone' };
      return writeOf(error);
    }
  }

  async servingFeatures(): Promise<ReadonlyMap<string, string>> {
    try {
      const { data = {} } = await this.#api.call<{ data?: Record<string, string> }>('GET', FEATURES);
      return new Map(Object.entries(data));
    } catch (error) {
      // What may not be read is taken to be as Serving has it by default.
      if (error instanceof ApiStatusError && (error.code === 403 || error.code === 404)) return new Map();
      throw error;
    }
  }

  async statesOf({ metadata: { namespace, uid } }: SourceObject): Promise<readonly AdapterState[]> {
    const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
    const query = { labelSelector: `${UID_LABEL}=${uid},${NOT_PUBLIC}` };
    const { items } = await this.#api.call<{ items: readonly EndpointSlice[] | null }>('GET', path, { query });
    const urls = readyHostsIn(items ?? []).map((host) => `http://${host}:${INTERNAL_PORT}`);
    return statesOfReady(urls, uid);
  }

  async #pathOf(reference: ObjectReference): Promise<string | undefined> {
    const resource = await this.#resources.find(reference);
    return resource && `${resource.collection(reference.namespace)}/${encodeURIComponent(reference.name)}`;
  }
}

function writeOf(error: unknown): ChildWrite {
  if (!(error instanceof ApiStatusError)) throw error;
  if (error instanceof AdmissionError || REFUSED.has(error.code)) return { kind: 'refused', why: error.message };
  if (error.code === 403) return { kind: NO_RIGHT.test(error.message) ? 'forbidden' : 'refused', why: error.message };
  throw error;
}
