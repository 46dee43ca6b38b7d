import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { SourceDefinition, WebhookApi } from '../sources/contract.ts';
import { objectKindOf } from '../sources/crd.ts';
import { Dependencies, notingReads } from './dependencies.ts';
import type { ReconcileDeps } from './deps.ts';
import { type KubeObject, keyOf, type ObjectKind, type ObjectReference } from './objects.ts';
import { reconcileSource } from './reconcile.ts';
import { WorkQueue, type WorkQueueOptions } from './work-queue.ts';

export interface ControllerOptions extends Omit<ReconcileDeps, 'objects' | 'webhooksOf'> {
  readonly sources: readonly SourceDefinition[];
  readonly queue: Omit<WorkQueueOptions, 'work' | 'onError'>;
  readonly log: Log;
}

export interface Controller {
  /**
   * Other adapters are ready than before: looks again at the sources that wait for some. Where none is left, at all of
   * them, as none is served any more; a new one that is ready has read all routes, so that those served stay so.
   */
  adaptersChanged(ready: number): void;
  /** Finishes what is under way. */
  stop(): Promise<void>;
}

/** Watches the source kinds and whatever their objects name, and reconciles a source whenever one of them changed. */
export function startController(options: ControllerOptions): Controller {
  const { cluster, sources, log } = options;
  const webhooksOf = webhookApis(options);
  const dependencies = new Dependencies();
  const references = new Map<string, ObjectReference>();
  const seen = new Map<string, string>();
  const watched = new Set<string>();
  const waitingForAdapters = new Set<string>();
  const watchDependency = ({ apiVersion, kind }: ObjectKind) => {
    if (watched.has(`${apiVersion} ${kind}`)) return;
    watched.add(`${apiVersion} ${kind}`);
    cluster.watch({ apiVersion, kind }, (changed) => {
      for (const source of dependencies.dependentsOn(changed)) queue.add(source);
    });
  };

  const work = async (key: string) => {
    const reference = references.get(key);
    if (!reference) return undefined;
    const asked = new Set<string>();
    const objects = notingReads(cluster, (object) => {
      asked.add(keyOf(object));
      dependencies.add(key, keyOf(object));
      watchDependency(object);
    });
    // Beforehand: a change while it is worked on must not be missed.
    waitingForAdapters.add(key);
    const retry = await reconcileSource(reference, { ...options, objects, webhooksOf });
    if (retry?.when !== 'backoff' || retry.wokenBy !== 'adapters') waitingForAdapters.delete(key);
    dependencies.retain(key, retry === undefined ? new Set() : asked);
    if (retry === undefined) seen.delete(key);
    return retry;
  };
  const onError = (source: string, error: unknown) =>
    log.error({ source, error: messageOf(error) }, 'reconcile failed');
  const queue = new WorkQueue({ ...options.queue, work, onError });

  const consider = async (changed: ObjectReference) => {
    const key = keyOf(changed);
    references.set(key, changed);
    const lookup = await cluster.get(changed);
    const matter = lookup.found === 'object' ? whatMatters(lookup.object) : undefined;
    if (matter === seen.get(key)) return;
    if (matter !== undefined) seen.set(key, matter);
    queue.add(key);
  };
  for (const definition of sources) {
    cluster.watch(objectKindOf(definition), (changed) => {
      consider(changed).catch((error: unknown) => {
        onError(keyOf(changed), error);
        // It may matter: the look at it will tell.
        queue.add(keyOf(changed));
      });
    });
  }
  options.upstream.onTurn(() => {
    for (const key of references.keys()) queue.add(key);
  });
  const adaptersChanged = (ready: number) => {
    for (const key of ready === 0 ? seen.keys() : waitingForAdapters) queue.add(key);
  };
  return { adaptersChanged, stop: () => queue.stop() };
}

/** One for each provider, loaded when it is needed. */
function webhookApis({ guard, now }: Pick<ControllerOptions, 'guard' | 'now'>): ReconcileDeps['webhooksOf'] {
  const loaded = new Map<string, Promise<WebhookApi>>();
  return (definition) => {
    const api = loaded.get(definition.kind) ?? definition.loadWebhookApi(guard, now);
    loaded.set(definition.kind, api);
    return api;
  };
}

/** What of a source object asks for a look at it; its status, which is written here, does not. */
function whatMatters({ metadata }: KubeObject): string {
  const { uid, generation, deletionTimestamp, annotations } = metadata;
  return JSON.stringify([uid, generation, deletionTimestamp, annotations]);
}
