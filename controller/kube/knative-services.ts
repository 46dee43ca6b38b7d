import { ApiStatusError } from '../../core/list-watch.ts';
import { AdmissionError } from '../admission-error.ts';
import type { SourceObject } from '../objects.ts';
import type { OldService, ServiceRemoval, ServiceStore } from '../old-services.ts';
import type { ApiClient } from './api-client.ts';
import type { Resources } from './resources.ts';

const KIND = { apiVersion: 'serving.knative.dev/v1', kind: 'Service' };
/** All sources of a namespace ask at the same time, when they are taken over. */
const FRESH_MS = 5000;
const PAGE = 500;

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

interface ServicePage {
  readonly metadata?: { readonly continue?: string };
  readonly items: readonly KnativeService[] | null;
}

/** By the uid of who controls them. */
type Services = ReadonlyMap<string, readonly OldService[]>;

interface Listed {
  readonly at: number;
  readonly services: Promise<Services | undefined>;
  /** By uid, since it was listed. */
  readonly removed: Set<string>;
}

/** The Knative Services of a real cluster, listed by namespace, once for all sources of it that ask within some seconds. */
export class KnativeServices implements ServiceStore {
  readonly #api: Pick<ApiClient, 'call'>;
  readonly #resources: Pick<Resources, 'find'>;
  readonly #lists = new Map<string, Listed>();

  constructor(api: Pick<ApiClient, 'call'>, resources: Pick<Resources, 'find'>) {
    this.#api = api;
    this.#resources = resources;
  }

  async controlledBy({ metadata }: SourceObject, label: string): Promise<readonly OldService[] | undefined> {
    const { services, removed } = this.#listed(metadata.namespace, label);
    const found = await services;
    return found && (found.get(metadata.uid) ?? []).filter(({ uid }) => !removed.has(uid));
  }

  /** That very one: another of its name is not touched. */
  async remove(service: OldService): Promise<ServiceRemoval> {
    const removal = await this.#remove(service);
    if (removal.kind === 'removed') for (const { removed } of this.#lists.values()) removed.add(service.uid);
    return removal;
  }

  async #remove({ namespace, name, uid }: OldService): Promise<ServiceRemoval> {
    const resource = await this.#resources.find(KIND);
    if (!resource) return { kind: 'removed' };
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

  #listed(namespace: string, label: string): Listed {
    const now = performance.now();
    for (const [key, { at }] of this.#lists) if (now - at >= FRESH_MS) this.#lists.delete(key);
    const key = `${namespace} ${label}`;
    const known = this.#lists.get(key);
    if (known) return known;
    const listed: Listed = { at: now, services: this.#list(namespace, label), removed: new Set() };
    this.#lists.set(key, listed);
    listed.services.catch(() => this.#lists.get(key) === listed && this.#lists.delete(key));
    return listed;
  }

  async #list(namespace: string, labelSelector: string): Promise<Services | undefined> {
    const found = new Map<string, OldService[]>();
    const resource = await this.#resources.find(KIND);
    if (!resource) return found;
    let next: string | undefined;
    try {
      do {
        const query = { labelSelector, limit: PAGE, continue: next };
        const page = await this.#api.call<ServicePage>('GET', resource.collection(namespace), { query });
        for (const service of page.items ?? []) {
          const { owner, old } = oldServiceOf(service);
          if (owner !== undefined) found.set(owner, [...(found.get(owner) ?? []), old]);
        }
        next = page.metadata?.continue || undefined;
      } while (next !== undefined);
      return found;
    } catch (error) {
      if (error instanceof ApiStatusError && error.code === 403) return undefined;
      // Serving was removed just now.
      if (error instanceof ApiStatusError && error.code === 404) return new Map();
      throw error;
    }
  }
}

/** Nothing else of it is kept. `owner`: undefined where it is nobody's, or going. */
function oldServiceOf({ metadata, status }: KnativeService): { owner: string | undefined; old: OldService } {
  const { name, namespace, uid, deletionTimestamp, ownerReferences = [] } = metadata;
  const owner = ownerReferences.find(({ controller }) => controller === true)?.uid;
  const host = URL.parse(status?.url ?? status?.address?.url ?? '')?.host;
  return { owner: deletionTimestamp === undefined ? owner : undefined, old: { namespace, name, uid, host } };
}
