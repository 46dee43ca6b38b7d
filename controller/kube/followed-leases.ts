import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../core/errors.ts';
import { ApiStatusError } from '../../core/list-watch.ts';
import type { Log } from '../../core/log.ts';
import type { SeenLease } from '../upstream-leases.ts';
import type { ApiClient } from './api-client.ts';

export interface FollowedLeasesOptions {
  readonly api: Pick<ApiClient, 'call'>;
  readonly namespace: string;
  /** Between two looks, in milliseconds; less than any Lease is long. */
  readonly everyMs: number;
  /** Called with all Leases of the namespace, at each look that was answered; with none while they may not be seen yet. */
  readonly onLook: (leases: readonly SeenLease[]) => void;
  readonly log: Log;
}

interface LeaseList {
  readonly items:
    | readonly {
        readonly metadata: { readonly name: string; readonly uid?: string };
        readonly spec?: {
          readonly holderIdentity?: string | null;
          readonly leaseDurationSeconds?: number | null;
          readonly renewTime?: string | null;
        };
      }[]
    | null;
}

/** What client-go takes where a Lease does not say. */
const USUAL_LENGTH_S = 15;

/**
 * The Leases of a namespace, asked for again and again. Not by a watch: of one that fell silent nobody could tell whether
 * the Leases are not renewed any more.
 */
export class FollowedLeases {
  readonly #options: FollowedLeasesOptions;
  readonly #stopped = new AbortController();
  /** Whether the Leases were ever seen. */
  #maySee = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: FollowedLeasesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { everyMs, onLook, log } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        onLook(await this.#list());
      } catch (error) {
        if (!signal.aborted) log.warn({ error: messageOf(error) }, 'leases not read; tried again');
      }
      await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #list(): Promise<readonly SeenLease[]> {
    const { api, namespace } = this.#options;
    const path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
    try {
      const { items } = await api.call<LeaseList>('GET', path, { signal: this.#stopped.signal });
      this.#maySee = true;
      return (items ?? []).map(({ metadata: { name, uid }, spec = {} }) => {
        const holder = spec.holderIdentity || undefined;
        if (holder === undefined) return { name, holder };
        const durationMs = (spec.leaseDurationSeconds ?? USUAL_LENGTH_S) * 1000;
        return { name, holder, durationMs, renewal: JSON.stringify([uid, holder, spec.renewTime]) };
      });
    } catch (error) {
      // Who does not give the right has nobody to wait for; one that is away for a moment says nothing of the Leases.
      if (error instanceof ApiStatusError && error.code === 403 && !this.#maySee) return [];
      throw error;
    }
  }
}
