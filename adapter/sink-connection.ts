import { buildConnector, Client } from 'undici';
import type { AddressGuard } from '../core/address-guard.ts';
import { codeOf } from '../core/errors.ts';
import { proxyAgent } from '../core/proxy-agent.ts';
import type { Connection } from './sink-pool.ts';

export interface ConnectionOptions {
  readonly guard: AddressGuard;
  readonly connectTimeoutMs: number;
  /** Trusted of the sink; undefined: the usual ones. */
  readonly ca: readonly string[] | undefined;
  /** undefined: the sink is called directly. */
  readonly proxy: URL | undefined;
}

type Connector = buildConnector.connector;

/** No connection by way of the proxy: it was not reached or refused, or the sink behind it is not the right one. */
export class ProxiedConnectError extends Error {
  override name = 'ProxiedConnectError';
  constructor({ origin }: URL, cause: Error) {
    super(`by proxy ${origin}: ${cause.message || codeOf(cause)}`, { cause });
  }
}

/** A connection to the origin, made with the first request on it. */
export function openConnection(origin: string, options: ConnectionOptions): Connection {
  const { guard, proxy, connectTimeoutMs } = options;
  const { hostname } = new URL(origin);
  const watched =
    (connect: Connector): Connector =>
    (to, callback) => {
      try {
        guard.check(hostname);
      } catch (forbidden) {
        callback(forbidden as Error, null);
        return;
      }
      connect(to, (...result) => {
        connection.socket = result[1] ?? undefined;
        callback(...result);
      });
    };
  const ca = options.ca && { ca: [...options.ca] };
  const direct = () => watched(buildConnector({ timeout: connectTimeoutMs, lookup: guard.lookup, ...ca }));
  const connection: Connection = {
    client: proxy
      ? proxyAgent(proxy, {
          connectTimeoutMs,
          ...ca,
          clientOf: (to, connect) => clientOf(to, watched(naming(proxy, connect))),
        })
      : clientOf(origin, direct()),
    socket: undefined,
  };
  return connection;
}

function clientOf(origin: string | URL, connect: Connector): Client {
  return new Client(origin, {
    pipelining: 1,
    allowH2: false,
    // One timer per attempt, in sink.ts, bounds everything; these would only repeat it.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect,
  });
}

function naming(proxy: URL, connect: Connector): Connector {
  return (options, callback) =>
    connect(options, (...result) => {
      if (result[0]) callback(new ProxiedConnectError(proxy, result[0]), null);
      else callback(...result);
    });
}
