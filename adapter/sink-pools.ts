import { getCACertificates } from 'node:tls';
import type { AddressGuard } from '../core/address-guard.ts';
import type { Proxies } from '../core/proxies.ts';
import type { Destination } from '../core/route.ts';
import { openConnection } from './sink-connection.ts';
import { SinkPool } from './sink-pool.ts';

/** A destination split the way requests need it. */
export interface Sink {
  readonly url: string;
  readonly origin: string;
  /** With query. */
  readonly path: string;
  readonly CACerts: string | undefined;
  readonly headers: readonly string[];
}

export function sinkOf(destination: Destination): Sink {
  const url = new URL(destination.url);
  return {
    url: url.href,
    origin: url.origin,
    path: url.pathname + url.search,
    CACerts: destination.CACerts || undefined,
    headers: destination.token ? ['authorization', `Bearer ${destination.token}`] : [],
  };
}

export interface PoolOptions {
  readonly guard: AddressGuard;
  readonly proxies: Proxies;
  readonly connectionsPerSink: number;
  readonly connectTimeoutMs: number;
}

/** Connections to sinks, shared by all routes with the same origin and CA certificates. */
export class SinkPools {
  readonly #pools = new Map<string, SinkPool>();
  readonly #options: PoolOptions;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  poolFor(sink: Sink): SinkPool {
    const key = keyOf(sink);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      pool = this.#open(sink);
      this.#pools.set(key, pool);
    }
    return pool;
  }

  /** Lets go of the connections to sinks no route has any more; what is under way on them finishes. */
  retain(sinks: Iterable<Sink>): void {
    const used = new Set(Array.from(sinks, keyOf));
    for (const [key, pool] of this.#pools) {
      if (used.has(key)) continue;
      this.#pools.delete(key);
      pool.close();
    }
  }

  async close(): Promise<void> {
    await Promise.all(Array.from(this.#pools.values(), (pool) => pool.destroy()));
  }

  #open({ origin, CACerts }: Sink): SinkPool {
    const { guard, proxies, connectionsPerSink, connectTimeoutMs } = this.#options;
    const ca = CACerts === undefined ? undefined : [...getCACertificates('default'), CACerts];
    const options = { guard, connectTimeoutMs, ca, proxy: proxies.proxyFor(origin) };
    return new SinkPool(connectionsPerSink, () => openConnection(origin, options));
  }
}

function keyOf(sink: Sink): string {
  return sink.CACerts === undefined ? sink.origin : `${sink.origin}\n${sink.CACerts}`;
}
