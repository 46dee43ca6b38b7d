import { setTimeout as sleep } from 'node:timers/promises';
import { ApiStatusError } from '../../../core/list-watch.ts';
import type { Kubelet } from './kubelet.ts';
import type { ProbedPod } from './probed-pod.ts';

const LOOK_MS = 300;

/** Runs every pod of some namespaces, and ends those that are deleted, as long as it lasts. */
export class FollowedPods {
  readonly #kubelet: Kubelet;
  readonly #namespaces: readonly string[];
  readonly #stopped = new AbortController();
  readonly #running = new Map<string, ProbedPod>();
  readonly #ending = new Map<string, Promise<void>>();
  /** Of all that ever ran. */
  readonly pods: ProbedPod[] = [];
  #following: Promise<void> = Promise.resolve();

  constructor(kubelet: Kubelet, namespaces: readonly string[]) {
    this.#kubelet = kubelet;
    this.#namespaces = namespaces;
  }

  start(): void {
    this.#following = this.#follow();
  }

  /** Before the kubelet stops. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#following;
    await Promise.all(this.#ending.values());
  }

  /** Of a Deployment or a pod, by the beginning of the pods' names. */
  of(name: string): readonly ProbedPod[] {
    return [...this.#running.values()].filter((pod) => pod.name.startsWith(`${name}-`));
  }

  async #follow(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      for (const namespace of this.#namespaces) await this.#look(namespace);
      await sleep(LOOK_MS, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
    }
  }

  async #look(namespace: string): Promise<void> {
    for (const pod of await this.#kubelet.allPods(namespace)) {
      const { uid, deletionTimestamp } = pod.metadata;
      const running = this.#running.get(uid);
      if (running && deletionTimestamp !== undefined) {
        this.#running.delete(uid);
        this.#ending.set(uid, running.obeyDeletion());
      }
      if (!running && deletionTimestamp === undefined) await this.#run(pod);
      // Deleted while it was started.
      if (!running && deletionTimestamp !== undefined && !this.#ending.has(uid)) await this.#kubelet.release(pod);
    }
  }

  async #run(pod: Parameters<Kubelet['run']>[0]): Promise<void> {
    const running = await this.#kubelet.run(pod).catch(async (error: unknown) => {
      // It was deleted a moment ago, or its namespace was.
      if (error instanceof ApiStatusError && (await this.#kubelet.isLeaving(pod))) return undefined;
      throw error;
    });
    if (!running) return;
    this.#running.set(pod.metadata.uid, running);
    this.pods.push(running);
  }
}
