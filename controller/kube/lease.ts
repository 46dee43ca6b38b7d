import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../core/errors.ts';
import { ApiStatusError } from '../../core/list-watch.ts';
import type { Log } from '../../core/log.ts';
import type { ApiClient } from './api-client.ts';

export interface LeaseOptions {
  readonly api: Pick<ApiClient, 'call'>;
  readonly namespace: string;
  readonly name: string;
  /** Tells this process from its rivals. */
  readonly identity: string;
  readonly timings: LeaseTimings;
  readonly log: Log;
}

/** Milliseconds. `leaseMs` > `renewDeadlineMs` > `retryMs`: who cannot renew stops before others may take over. */
export interface LeaseTimings {
  readonly leaseMs: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
}

/** `held`: by somebody else; `failed`: nobody knows. */
type Outcome = 'mine' | 'held' | 'failed';

interface LeaseObject {
  readonly apiVersion: 'coordination.k8s.io/v1';
  readonly kind: 'Lease';
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly acquireTime?: string | null;
    readonly renewTime?: string | null;
    readonly leaseTransitions?: number | null;
  };
}

/**
 * Leadership by a Lease, as client-go has it: a Lease nobody was seen to renew for its whole length is free. Clocks of
 * other machines are not asked: a Lease is old when it did not change for so long on this one.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #path: string;
  readonly #stopped = new AbortController();
  #seen: { readonly version: string | undefined; readonly at: number } | undefined;
  #attempt: Promise<Outcome> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(options: LeaseOptions) {
    this.#options = options;
    const { namespace, name } = options;
    this.#path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases/${encodeURIComponent(name)}`;
  }

  /**
   * Resolves to true when this process leads: from then on it renews, and calls `onLost` before others may take over. False:
   * it was released before.
   */
  async acquire(onLost: () => void): Promise<boolean> {
    const { timings, log, identity } = this.#options;
    while (!this.#stopped.signal.aborted) {
      const startedAt = performance.now();
      this.#attempt = this.#tryOnce(timings.renewDeadlineMs);
      const outcome = await this.#attempt;
      if (this.#stopped.signal.aborted) break;
      if (outcome === 'mine') {
        log.info({ identity }, 'leading');
        this.#running = this.#keep(startedAt, onLost);
        return true;
      }
      await this.#pause();
    }
    return false;
  }

  /** Gives the Lease back, so that the next one need not wait for its end. */
  async release(): Promise<void> {
    this.#stopped.abort();
    await Promise.all([this.#attempt, this.#running]);
    const { api, identity, log } = this.#options;
    try {
      const lease = await api.call<LeaseObject>('GET', this.#path);
      if (lease.spec.holderIdentity !== identity) return;
      await api.call('PUT', this.#path, {
        body: { ...lease, spec: { ...lease.spec, holderIdentity: null, leaseDurationSeconds: 1 } },
      });
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'lease not given back');
    }
  }

  async #keep(acquiredAt: number, onLost: () => void): Promise<void> {
    const { renewDeadlineMs } = this.#options.timings;
    let renewedAt = acquiredAt;
    for (;;) {
      await this.#pause();
      if (this.#stopped.signal.aborted) return;
      const startedAt = performance.now();
      const left = renewDeadlineMs - (startedAt - renewedAt);
      // The length of the Lease counts from when the renewal was sent, at the latest.
      const outcome = left > 0 ? await this.#tryOnce(left) : 'failed';
      if (outcome === 'mine') renewedAt = startedAt;
      else if (outcome === 'held' || performance.now() - renewedAt >= renewDeadlineMs) {
        onLost();
        return;
      }
    }
  }

  /** Takes or renews the Lease within `limitMs`. */
  async #tryOnce(limitMs: number): Promise<Outcome> {
    const { api, log } = this.#options;
    const signal = AbortSignal.timeout(Math.max(1, Math.ceil(limitMs)));
    try {
      const found = await api.call<LeaseObject>('GET', this.#path, { signal }).catch((error: unknown) => {
        if (error instanceof ApiStatusError && error.code === 404) return undefined;
        throw error;
      });
      if (found && !this.#isMineOrFree(found)) return 'held';
      const body = this.#renewed(found);
      if (found) await api.call('PUT', this.#path, { body, signal });
      else await api.call('POST', this.#path.slice(0, this.#path.lastIndexOf('/')), { body, signal });
      return 'mine';
    } catch (error) {
      // 409: a rival was faster.
      if (!(error instanceof ApiStatusError && error.code === 409))
        log.warn({ error: messageOf(error) }, 'lease not renewed');
      return 'failed';
    }
  }

  #isMineOrFree({ metadata, spec }: LeaseObject): boolean {
    const { identity, timings } = this.#options;
    if (this.#seen?.version !== metadata.resourceVersion)
      this.#seen = { version: metadata.resourceVersion, at: performance.now() };
    if (!spec.holderIdentity || spec.holderIdentity === identity) return true;
    const length = spec.leaseDurationSeconds ? spec.leaseDurationSeconds * 1000 : timings.leaseMs;
    return performance.now() - (this.#seen?.at ?? 0) >= length;
  }

  #renewed(found: LeaseObject | undefined): LeaseObject {
    const { identity, namespace, name, timings } = this.#options;
    // Kubernetes' MicroTime.
    const now = new Date().toISOString().replace('Z', '000Z');
    const isMine = found?.spec.holderIdentity === identity;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: found?.metadata ?? { name, namespace },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(timings.leaseMs / 1000),
        acquireTime: isMine ? (found.spec.acquireTime ?? now) : now,
        renewTime: now,
        leaseTransitions: (found?.spec.leaseTransitions ?? 0) + (isMine || !found ? 0 : 1),
      },
    };
  }

  async #pause(): Promise<void> {
    await sleep(this.#options.timings.retryMs, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}
