import { type buildConnector, Client, type Dispatcher, ProxyAgent } from 'undici';

export interface ProxyAgentOptions {
  /** For each step on the way: to the proxy, its answer, TLS with what is called. */
  readonly connectTimeoutMs: number;
  /** Trusted of what is called; undefined: the usual ones. */
  readonly ca?: readonly string[];
  /** Makes what requests are sent on, over connections that `connect` makes; undefined: as undici does. */
  readonly clientOf?: (origin: string | URL, connect: buildConnector.connector) => Dispatcher;
}

/**
 * undici's own: https through a tunnel (CONNECT), http by asking the proxy for the whole URL. Names are resolved by the
 * proxy. HTTP/1.1 alone, as everywhere.
 */
export function proxyAgent(proxy: URL, { connectTimeoutMs, ca, clientOf }: ProxyAgentOptions): ProxyAgent {
  return new ProxyAgent({
    uri: proxy.href,
    allowH2: false,
    connectTimeout: connectTimeoutMs,
    proxyTls: { allowH2: false },
    requestTls: { allowH2: false, ...(ca && { ca: [...ca] }) },
    // It only makes tunnels. A proxy that takes the connection and then says nothing must not hold up its callers.
    clientFactory: (origin, options) => new Client(origin, { ...options, headersTimeout: connectTimeoutMs }),
    ...(clientOf && {
      // undici gives the connector along with its other options.
      factory: (origin, options) => clientOf(origin, (options as { connect: buildConnector.connector }).connect),
    }),
  });
}
