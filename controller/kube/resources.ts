import { ApiStatusError } from '../../core/list-watch.ts';
import type { ObjectKind } from '../objects.ts';
import type { ApiClient } from './api-client.ts';

interface ResourceList {
  readonly resources: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** Where the objects of a kind are in the API. */
export interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
  /** Path of the collection; `namespace` undefined: of all namespaces. */
  collection(namespace?: string): string;
}

const FRESH_MS = 600_000;
/** A kind that is not there may be installed any moment. */
const MISSING_FRESH_MS = 100;

/** Finds the plural of kinds by the server's discovery documents, each read once and again when a kind is missing in it. */
export class Resources {
  readonly #api: Pick<ApiClient, 'call'>;
  readonly #lists = new Map<string, { readonly list: Promise<ResourceList | undefined>; readonly at: number }>();

  constructor(api: Pick<ApiClient, 'call'>) {
    this.#api = api;
  }

  /** undefined: the cluster has no such kind. */
  async find({ apiVersion, kind }: ObjectKind): Promise<Resource | undefined> {
    const age = performance.now() - (this.#lists.get(apiVersion)?.at ?? Number.NEGATIVE_INFINITY);
    if (age < FRESH_MS) {
      const known = await this.#resource(apiVersion, kind);
      if (known || age < MISSING_FRESH_MS) return known;
    }
    this.#lists.set(apiVersion, { list: this.#read(apiVersion), at: performance.now() });
    return this.#resource(apiVersion, kind);
  }

  /** For a kind that turned out not to be there any more. */
  forget({ apiVersion }: ObjectKind): void {
    this.#lists.delete(apiVersion);
  }

  /** For a group whose kinds are others than before. */
  forgetGroup(group: string): void {
    for (const apiVersion of this.#lists.keys()) if (apiVersion.startsWith(`${group}/`)) this.#lists.delete(apiVersion);
  }

  async #resource(apiVersion: string, kind: string): Promise<Resource | undefined> {
    const list = await this.#lists.get(apiVersion)?.list.catch((error: unknown) => {
      this.#lists.delete(apiVersion);
      throw error;
    });
    const found = list?.resources.find((one) => one.kind === kind && !one.name.includes('/'));
    if (!found) return undefined;
    const { name: plural, namespaced } = found;
    const base = basePath(apiVersion);
    const collection = (namespace?: string) =>
      namespace === undefined || !namespaced
        ? `${base}/${plural}`
        : `${base}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
    return { plural, namespaced, collection };
  }

  async #read(apiVersion: string): Promise<ResourceList | undefined> {
    try {
      return await this.#api.call<ResourceList>('GET', basePath(apiVersion));
    } catch (error) {
      if (error instanceof ApiStatusError && error.code === 404) return undefined;
      throw error;
    }
  }
}

function basePath(apiVersion: string): string {
  return apiVersion.includes('/')
    ? `/apis/${apiVersion.split('/').map(encodeURIComponent).join('/')}`
    : `/api/${encodeURIComponent(apiVersion)}`;
}
