import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Proxies } from '../core/proxies.ts';
import type { ProviderCall, SourceDefinition, WebhookApi } from '../sources/contract.ts';
import { objectKindOf } from '../sources/crd.ts';
import { Dependencies, notingReads } from './dependencies.ts';
import type { ReconcileDeps } from './deps.ts';
import { keyOf, type ObjectKind, type ObjectReference } from './objects.ts';
import type { ServiceName } from './public-address/way.ts';
import type { PublicAddresses } from './public-addresses.ts';
import { reconcileSource } from './reconcile.ts';
import type { Retry } from './step.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

export interface ControllerOptions extends Omit<ReconcileDeps, 'objects' | 'webhooksOf'> {
  readonly sources: readonly SourceDefinition[];
  /** Of the calls to providers. */
  readonly proxies: Proxies;
  readonly queue: Omit<WorkQueueOptions, 'work' | 'onError'>;
  readonly onReconciled?: ReconcileObserver;
  /** Told of each call to the API of the provider of a kind. */
  readonly onProviderCall?: (kind: string, call: ProviderCall) => void;
  readonly log: Log;
}

/** How a look at a source ended, in the words of controller-runtime. */
export const reconcileResults = ['success', 'requeue', 'requeue_after', 'error'] as const;
export type ReconcileResult = (typeof reconcileResults)[number];
/** Told of each look at a source. */
export type ReconcileObserver = (kind: string, result: ReconcileResult, seconds: number) => void;

type Recheck = NonNullable<Extract<Retry, { when: 'after' }>['recheck']>;

interface KnownSource {
  readonly reference: ObjectReference;
  /** What of it asked for the last look; undefined: it is gone. */
  readonly matter: string | undefined;
}

/** Watches the source kinds and whatever their objects name, and reconciles a source whenever one of them changed. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #webhooksOf: ReconcileDeps['webhooksOf'];
  readonly #dependencies = new Dependencies();
  readonly #known = new Map<string, KnownSource>();
  readonly #waitingForAdapters = new Set<string>();
  /** Of sources that are as they should be. */
  readonly #rechecks = new Map<string, Recheck>();
  readonly #queue: WorkQueue;
  readonly #dependencyChanged = (changed: ObjectReference) => {
    for (const source of this.#dependencies.dependentsOn(changed)) this.#queue.add(source);
  };

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.#webhooksOf = webhookApis(options);
    const onError = (source: string, error: unknown) =>
      options.log.error({ source, error: messageOf(error) }, 'reconcile failed');
    this.#queue = new WorkQueue({ ...options.queue, work: (key, isDue) => this.#work(key, isDue), onError });
  }

  start(): void {
    const { cluster, sources, upstream } = this.#options;
    for (const definition of sources)
      cluster.watch(objectKindOf(definition), (changed, matter) => this.#consider(changed, matter));
    upstream.onTurn(() => this.#lookAtAll());
  }

  /**
   * Other adapters are ready than before: looks again at the sources that wait for some. Where none is left, at all of
   * them, as none is served any more; a new one that is ready has read all routes, so that those served stay so.
   */
  adaptersChanged(ready: number): void {
    if (ready === 0) this.#lookAtAll();
    else for (const key of this.#waitingForAdapters) this.#queue.add(key);
  }

  /** A kind was installed that was not there when it was named. */
  kindCame(kind: ObjectKind): void {
    for (const key of this.#dependencies.dependentsOnKind(kind)) this.#queue.add(key);
  }

  /** Providers reach the adapter of a Service at another address than before. */
  addressChanged(service: ServiceName): void {
    this.#dependencyChanged(referenceToService(service));
  }

  /** Finishes what is under way. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }

  #lookAtAll(): void {
    for (const key of this.#known.keys()) this.#queue.add(key);
  }

  #consider(reference: ObjectReference, matter: string | undefined): void {
    const key = keyOf(reference);
    if (this.#known.get(key)?.matter === matter) return;
    this.#known.set(key, { reference, matter });
    this.#queue.add(key);
  }

  async #work(key: string, isDue: boolean): Promise<Retry | undefined> {
    const known = this.#known.get(key);
    if (!known) return undefined;
    const recheck = this.#rechecks.get(key);
    this.#rechecks.delete(key);
    const look = async () => (isDue ? await recheck?.() : undefined) ?? this.#lookAt(key, known);
    const retry = await this.#observed(known.reference.kind, look);
    if (retry?.when === 'after' && retry.recheck) this.#rechecks.set(key, retry.recheck);
    return retry;
  }

  async #lookAt(key: string, known: KnownSource): Promise<Retry | undefined> {
    const asked = new Set<string>();
    const objects = notingReads(this.#options.cluster, (object) => {
      asked.add(keyOf(object));
      this.#dependencies.add(key, keyOf(object));
      this.#options.cluster.watch(object, this.#dependencyChanged);
    });
    const { shared } = this.#options.addresses;
    const addresses: PublicAddresses = {
      shared,
      of: (service) => {
        const object = keyOf(referenceToService(service));
        asked.add(object);
        this.#dependencies.add(key, object);
        return this.#options.addresses.of(service);
      },
    };
    // Beforehand: a change while it is worked on must not be missed.
    this.#waitingForAdapters.add(key);
    const deps = { ...this.#options, objects, addresses, webhooksOf: this.#webhooksOf };
    const retry = await reconcileSource(known.reference, deps);
    if (retry?.when !== 'backoff' || retry.wokenBy !== 'adapters') this.#waitingForAdapters.delete(key);
    // A look that did not get so far says nothing of what the source is made from.
    if (retry === undefined || asked.size > 0) this.#dependencies.retain(key, retry === undefined ? new Set() : asked);
    // Unless it was made again meanwhile.
    if (retry === undefined && this.#known.get(key) === known) this.#known.delete(key);
    return retry;
  }

  async #observed(kind: string, reconcile: () => Promise<Retry | undefined>): Promise<Retry | undefined> {
    const beganAt = performance.now();
    let result: ReconcileResult = 'error';
    try {
      const retry = await reconcile();
      result = resultOf(retry);
      return retry;
    } finally {
      this.#options.onReconciled?.(kind, result, (performance.now() - beganAt) / 1000);
    }
  }
}

/** `success`: nothing is left to do, as when it is gone; what waits for a change is looked at after a while, too. */
function resultOf(retry: Retry | undefined): ReconcileResult {
  if (retry === undefined) return 'success';
  return retry.when === 'backoff' ? 'requeue' : 'requeue_after';
}

function referenceToService(service: ServiceName): ObjectReference {
  return { apiVersion: 'v1', kind: 'Service', ...service };
}

export function startController(options: ControllerOptions): Controller {
  const controller = new Controller(options);
  controller.start();
  return controller;
}

/** One for each provider, loaded when it is needed. */
function webhookApis({
  guard,
  proxies,
  now,
  onProviderCall,
}: Pick<ControllerOptions, 'guard' | 'proxies' | 'now' | 'onProviderCall'>): ReconcileDeps['webhooksOf'] {
  const loaded = new Map<string, Promise<WebhookApi>>();
  return (definition) => {
    const { kind } = definition;
    const onCall = (call: ProviderCall) => onProviderCall?.(kind, call);
    const api = loaded.get(kind) ?? definition.loadWebhookApi({ guard, proxies }, now, onCall);
    loaded.set(kind, api);
    return api;
  };
}
