import type { SourceDefinition } from '../sources/contract.ts';
import type { Announcement } from './cluster.ts';
import type { SourceObject } from './objects.ts';

/** A Knative Service that upstream's controller made to receive the deliveries of one source. */
export interface OldService {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of its URL; undefined: it never had one. */
  readonly host: string | undefined;
}

export type ServiceRemoval =
  | { readonly kind: 'removed' }
  | { readonly kind: 'forbidden' }
  /** `why`: the words of the API server. */
  | { readonly kind: 'refused'; readonly why: string };

/** Those of a cluster. */
export interface ServiceStore {
  /** Selected by a label, and controlled by the source. */
  controlledBy(source: SourceObject, label: string): Promise<readonly OldService[]>;
  remove(service: OldService): Promise<ServiceRemoval>;
}

/** Where there is no Knative Serving. */
export const NO_SERVICES: ServiceStore = {
  controlledBy: async () => [],
  remove: async () => ({ kind: 'removed' }),
};

/** What upstream's controller leaves behind in the namespaces of sources: found, and removed when nothing needs it any more. */
export class OldServices {
  readonly #store: ServiceStore;
  /** What stays is named once by a process, though each look tries again. */
  readonly #named = new Set<string>();

  constructor(store: ServiceStore) {
    this.#store = store;
  }

  async of(source: SourceObject, { upstream }: SourceDefinition): Promise<readonly OldService[]> {
    return upstream ? this.#store.controlledBy(source, upstream.serviceLabel) : [];
  }

  /** `announce`: told of each. */
  async remove(services: readonly OldService[], announce: (what: Announcement) => Promise<void>): Promise<void> {
    for (const service of services) {
      const removal = await this.#store.remove(service);
      if (removal.kind !== 'removed' && this.#named.has(service.uid)) continue;
      if (removal.kind !== 'removed') this.#named.add(service.uid);
      await announce(announcementOf(service, removal));
    }
  }
}

function announcementOf({ namespace, name }: OldService, removal: ServiceRemoval): Announcement {
  const service = `Knative Service ${name}`;
  const command = `kubectl delete services.serving.knative.dev ${name} -n ${namespace}`;
  switch (removal.kind) {
    case 'removed': {
      const message = `${service}, the receive adapter until now, deleted: deliveries come to the new one`;
      return { type: 'Normal', reason: 'OldReceiveAdapterDeleted', message };
    }
    case 'forbidden': {
      const message = `${service} received deliveries until now and is not needed any more, but the controller may not delete it: ${command}, or apply config/migration`;
      return { type: 'Warning', reason: 'OldReceiveAdapterRemains', message };
    }
    case 'refused': {
      const message = `${service} received deliveries until now and is not needed any more, but is not deleted (${removal.why}): ${command}`;
      return { type: 'Warning', reason: 'OldReceiveAdapterRemains', message };
    }
    default:
      return removal satisfies never;
  }
}
