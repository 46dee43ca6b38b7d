import type { SourceDefinition } from '../sources/contract.ts';
import type { Announcement } from './cluster.ts';
import { keyOf, type ObjectReference, referenceTo, type SourceObject } from './objects.ts';

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
  /** Selected by a label, and controlled by the source; undefined: they may not be seen. */
  controlledBy(source: SourceObject, label: string): Promise<readonly OldService[] | undefined>;
  remove(service: OldService): Promise<ServiceRemoval>;
}

/** Where there is no Knative Serving. */
export const NO_SERVICES: ServiceStore = {
  controlledBy: async () => [],
  remove: async () => ({ kind: 'removed' }),
};

/** What a process knows of the Services of one source. */
interface Known {
  /** Of the source. */
  readonly uid: string;
  /** A list held none of its. */
  hasNone: boolean;
  /** What stays is named once, though each look tries again; by uid. */
  named?: Set<string>;
}

/**
 * What upstream's controller leaves behind in the namespaces of sources: found, and removed when nothing needs it any more.
 * Once a source has none it is not asked for again, unless upstream was at work since.
 */
export class OldServices {
  readonly #store: ServiceStore;
  readonly #known = new Map<string, Known>();

  constructor(store: ServiceStore) {
    this.#store = store;
  }

  async of(source: SourceObject, { upstream }: SourceDefinition): Promise<readonly OldService[]> {
    if (!upstream) return [];
    const known = this.#of(source);
    if (known.hasNone && !hasUpstreamHook(source)) return [];
    const services = await this.#store.controlledBy(source, upstream.serviceLabel);
    known.hasNone = services?.length === 0;
    // Without the right to see them there are none to care for.
    return services ?? [];
  }

  /** Whether there may be some: a right to see or to remove them that is given changes nothing that is watched. */
  mayRemain(source: SourceObject, { upstream }: SourceDefinition): boolean {
    return upstream !== undefined && !this.#of(source).hasNone;
  }

  /** `announce`: told of each. */
  async remove(
    source: SourceObject,
    services: readonly OldService[],
    announce: (what: Announcement) => Promise<void>,
  ): Promise<void> {
    const known = this.#of(source);
    for (const service of services) {
      const removal = await this.#store.remove(service);
      if (removal.kind !== 'removed' && known.named?.has(service.uid)) continue;
      if (removal.kind === 'removed') known.named?.delete(service.uid);
      else known.named = (known.named ?? new Set()).add(service.uid);
      await announce(announcementOf(service, removal));
    }
  }

  /** The source is gone, or upstream's controller may make it another one. */
  forget(source: ObjectReference): void {
    this.#known.delete(keyOf(source));
  }

  #of(source: SourceObject): Known {
    const key = keyOf(referenceTo(source));
    const { uid } = source.metadata;
    const before = this.#known.get(key);
    const known = before?.uid === uid ? before : { uid, hasNone: false };
    this.#known.set(key, known);
    return known;
  }
}

/** Whether status names a webhook that is not on our record. */
function hasUpstreamHook({ status }: SourceObject): boolean {
  const { webhookIDKey, hooks = [] } = status ?? {};
  return webhookIDKey !== undefined && !hooks.some(({ id }) => id === webhookIDKey);
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
