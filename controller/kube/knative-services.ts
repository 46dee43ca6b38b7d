import { ApiStatusError } from '../../core/list-watch.ts';
import { AdmissionError } from '../admission-error.ts';
import type { SourceObject } from '../objects.ts';
import type { OldService, ServiceRemoval, ServiceStore } from '../old-services.ts';
import type { ApiClient } from './api-client.ts';
import type { Resources } from './resources.ts';

const KIND = { apiVersion: 'serving.knative.dev/v1', kind: 'Service' };
/** All sources of a cluster ask at the same time, when they are taken over. */
const FRESH_MS = 5000;

interface KnativeService {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly { readonly uid: string; readonly controller?: boolean }[];
  };
  readonly status?: { readonly url?: string; readonly address?: { readonly url?: string } };
}

type Services = readonly KnativeService[];

/** The Knative Services of a real cluster, each label's listed once for all sources that ask within some seconds. */
export class KnativeServices implements ServiceStore {
  readonly #api: Pick<ApiClient, 'call'>;
  readonly #resources: Pick<Resources, 'find'>;
  readonly #lists = new Map<string, { readonly at: number; readonly services: Promise<Services> }>();

  constructor(api: Pick<ApiClient, 'call'>, resources: Pick<Resources, 'find'>) {
    this.#api = api;
    this.#resources = resources;
  }

  async controlledBy({ metadata }: SourceObject, label: string): Promise<readonly OldService[]> {
    const services = await this.#services(label);
    return services.flatMap((service) => {
      const { name, namespace, uid, deletionTimestamp, ownerReferences = [] } = service.metadata;
      const isControlled = ownerReferences.some((owner) => owner.controller === true && owner.uid === metadata.uid);
      return isControlled && deletionTimestamp === undefined ? [{ name, namespace, uid, host: hostOf(service) }] : [];
    });
  }

  /** That very one: another of its name is not touched. */
  async remove({ namespace, name, uid }: OldService): Promise<ServiceRemoval> {
    const resource = await this.#resources.find(KIND);
    if (!resource) return { kind: 'removed' };
    this.#lists.clear();
    try {
      await this.#api.call('DELETE', `${resource.collection(namespace)}/${encodeURIComponent(name)}`, {
        body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid }, propagationPolicy: 'Background' },
      });
      return { kind: 'removed' };
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      // 409: it is another one by now.
      if (error.code === 404 || error.code === 409) return { kind: 'removed' };
      return error.code === 403 && !(error instanceof AdmissionError)
        ? { kind: 'forbidden' }
        : { kind: 'refused', why: error.message };
    }
  }

  async #services(label: string): Promise<Services> {
    const known = this.#lists.get(label);
    if (known && performance.now() - known.at < FRESH_MS) return known.services;
    const services = this.#list(label);
    this.#lists.set(label, { at: performance.now(), services });
    services.catch(() => this.#lists.delete(label));
    return services;
  }

  async #list(labelSelector: string): Promise<Services> {
    const resource = await this.#resources.find(KIND);
    if (!resource) return [];
    try {
      const { items } = await this.#api.call<{ items: Services | null }>('GET', resource.collection(), {
        query: { labelSelector },
      });
      return items ?? [];
    } catch (error) {
      // Without the right to see them there are none to care for; 404: Serving was removed just now.
      if (error instanceof ApiStatusError && (error.code === 403 || error.code === 404)) return [];
      throw error;
    }
  }
}

function hostOf({ status }: KnativeService): string | undefined {
  return URL.parse(status?.url ?? status?.address?.url ?? '')?.host;
}
