import type { KubeObject } from '../objects.ts';
import { isUnder, isWildcard, type MayBeOurs, portFault, prefixOf, type ServiceName, type Way } from './way.ts';

/** What counts of an Ingress (networking.k8s.io/v1). */
interface Ingress {
  readonly spec?: {
    readonly defaultBackend?: IngressBackend;
    readonly tls?: readonly { readonly hosts?: readonly string[] }[];
    readonly rules?: readonly IngressRule[];
  };
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly hostname?: string; readonly ip?: string }[] };
  };
}

interface IngressRule {
  readonly host?: string;
  readonly http?: { readonly paths: readonly IngressPath[] };
}

interface IngressPath {
  readonly path?: string;
  readonly pathType?: string;
  readonly backend: IngressBackend;
}

interface IngressBackend {
  readonly service?: { readonly name: string; readonly port?: { readonly name?: string; readonly number?: number } };
}

export type IngressWay = Way<{ readonly url: string }>;

/** How an Ingress leads to Services that may be ours. A backend is in the Ingress's own namespace. */
export function ingressWays({ metadata, ...rest }: KubeObject, mayBeOurs: MayBeOurs): readonly IngressWay[] {
  const ingress = rest as Ingress;
  const { defaultBackend, rules = [] } = ingress.spec ?? {};
  const backends = [
    ...rules.flatMap(({ host, http }) => (http?.paths ?? []).map((path) => ({ host, path }))),
    ...(defaultBackend ? [{ host: undefined, path: { backend: defaultBackend } }] : []),
  ];
  return backends.flatMap(({ host, path }) => {
    const { name, port } = path.backend.service ?? {};
    const service: ServiceName = { namespace: metadata.namespace, name: name ?? '' };
    if (name === undefined || !mayBeOurs(service)) return [];
    return [{ service, ...whereTo(host, path, port?.name ?? port?.number, ingress) }];
  });
}

function whereTo(
  host: string | undefined,
  path: Partial<IngressPath>,
  port: number | string | undefined,
  ingress: Ingress,
): { readonly url: string } | { readonly fault: string } {
  const prefix = prefixIn(path);
  const name = host || unnamedHost(ingress);
  const fault =
    portFault(port) ??
    (prefix === undefined
      ? `has path ${path.path}, under which not everything is its: make it one of type Prefix`
      : undefined) ??
    (name === undefined ? 'names no host, and has no load balancer yet' : undefined) ??
    (name !== undefined && isWildcard(name) ? `has ${name} for a host, which is no single one` : undefined);
  return fault === undefined ? { url: `${schemeOf(name ?? '', ingress)}://${name}${prefix}` } : { fault };
}

/** Path types: https://kubernetes.io/docs/concepts/services-networking/ingress/#path-types. undefined: it is no prefix. */
function prefixIn({ path = '', pathType }: Partial<IngressPath>): string | undefined {
  if (pathType === 'Exact') return undefined;
  // What ImplementationSpecific means is the implementation's to say: all take a plain path for a prefix, some want an asterisk.
  const plain = pathType === 'Prefix' ? path : path.replace(/\/\*$/, '');
  return /^[\w/.~%-]*$/.test(plain) ? prefixOf(plain) : undefined;
}

/** For a rule without a host, which is for all: the first that has a certificate, else where the load balancer is. */
function unnamedHost({ spec = {}, status = {} }: Ingress): string | undefined {
  const certified = (spec.tls ?? []).flatMap(({ hosts = [] }) => hosts).find((host) => !isWildcard(host));
  const [balancer] = status.loadBalancer?.ingress ?? [];
  const { hostname, ip } = balancer ?? {};
  return certified ?? (hostname || (ip?.includes(':') ? `[${ip}]` : ip));
}

/** An entry of `tls` without hosts is for all of them, with the certificate of the load balancer. */
function schemeOf(host: string, { spec = {} }: Ingress): 'http' | 'https' {
  const isCovered = (spec.tls ?? []).some(
    ({ hosts = [] }) =>
      hosts.length === 0 || hosts.some((one) => one === host || (isWildcard(one) && isUnder(host, one, 'one'))),
  );
  return isCovered ? 'https' : 'http';
}
