import { getCACertificates } from 'node:tls';
import { buildConnector, Client } from 'undici';
import type { AddressGuard } from '../core/address-guard.ts';
import type { Destination } from '../core/route.ts';
import { type Connection, SinkPool } from './sink-pool.ts';

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

  #open(sink: Sink): SinkPool {
    const { guard, connectionsPerSink, connectTimeoutMs } = this.#options;
    const connect = buildConnector({
      timeout: connectTimeoutMs,
      lookup: guard.lookup,
      ...(sink.CACerts === undefined ? {} : { ca: [...getCACertificates('default'), sink.CACerts] }),
    });
    const guarded: buildConnector.connector = (options, callback) => {
      try {
        guard.check(options.hostname);
      } catch (forbidden) {
        callback(forbidden as Error, null);
        return;
      }
      connect(options, callback);
    };
    return new SinkPool(connectionsPerSink, () => openConnection(sink.origin, guarded));
  }
}

function openConnection(origin: string, connect: buildConnector.connector): Connection {
  const client = new Client(origin, {
    pipelining: 1,
    allowH2: false,
    // One timer per attempt, in sink.ts, bounds everything; these would only repeat it.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (options, callback) =>
      connect(options, (...result) => {
        connection.socket = result[1] ?? undefined;
        callback(...result);
      }),
  });
  const connection: Connection = { client, socket: undefined };
  return connection;
}

function keyOf(sink: Sink): string {
  return sink.CACerts === undefined ? sink.origin : `${sink.origin}\n${sink.CACerts}`;
}
