import type { KubeObject } from '../objects.ts';
import { isUnder, isWildcard } from './way.ts';

/** Where a Gateway listens for HTTP; kept of a Gateway (gateway.networking.k8s.io/v1). */
export interface Listener {
  readonly name: string;
  readonly scheme: 'http' | 'https';
  readonly port: number;
  /** undefined: all. */
  readonly hostname: string | undefined;
}

interface Gateway {
  readonly spec?: {
    readonly listeners?: readonly {
      readonly name: string;
      readonly protocol: string;
      readonly port: number;
      readonly hostname?: string;
      readonly tls?: { readonly mode?: string };
    }[];
  };
}

export function listenersOf(object: KubeObject): readonly Listener[] {
  const { spec } = object as Gateway;
  return (spec?.listeners ?? []).flatMap(({ name, protocol, port, hostname, tls }) => {
    const isTerminated = protocol === 'HTTPS' || (protocol === 'TLS' && tls?.mode !== 'Passthrough');
    if (protocol !== 'HTTP' && !isTerminated) return [];
    return [{ name, scheme: isTerminated ? 'https' : 'http', port, hostname: hostname || undefined }];
  });
}

const USUAL_PORT = { http: 80, https: 443 };

/**
 * Base URLs under which a listener passes on requests for these hosts; none of them: for all of its own. Both may have
 * wildcards, which stand for one label or more (HTTPRouteSpec.hostnames, Listener.hostname).
 */
export function urlsAt({ scheme, port, hostname }: Listener, hosts: readonly string[]): readonly string[] {
  const named = hosts.length === 0 ? [hostname] : hosts.map((host) => narrower(host, hostname));
  const ending = port === USUAL_PORT[scheme] ? '' : `:${port}`;
  return named.flatMap((host) => (host === undefined || isWildcard(host) ? [] : [`${scheme}://${host}${ending}`]));
}

/** The hosts that both stand for; undefined: none. */
function narrower(host: string, listened: string | undefined): string | undefined {
  if (listened === undefined || host === listened) return host;
  if (isWildcard(listened)) return isUnder(host, listened, 'some') ? host : undefined;
  return isWildcard(host) && isUnder(listened, host, 'some') ? listened : undefined;
}
