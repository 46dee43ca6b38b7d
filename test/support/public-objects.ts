import type { Manifest } from '../../local/memory-cluster.ts';

/** Objects that make Services public, as users write them. */
export const SHARED = { namespace: 'headwater', name: 'headwater-adapter' };
const GATEWAY_API = 'gateway.networking.k8s.io/v1';

export interface Made {
  readonly name?: string;
  readonly namespace?: string;
}

export function anIngress(spec: object, { name = 'hooks', namespace = SHARED.namespace }: Made = {}): Manifest {
  const apiVersion = 'networking.k8s.io/v1';
  return { apiVersion, kind: 'Ingress', metadata: { name, namespace, uid: `ingress-${namespace}-${name}` }, spec };
}

/** All of a host, or under a path of it, to the adapter. */
export function aRule(
  host: string | undefined,
  path: object = {},
  service = SHARED.name,
  port: object = { number: 80 },
) {
  const backend = { service: { name: service, port } };
  return {
    ...(host !== undefined && { host }),
    http: { paths: [{ path: '/', pathType: 'Prefix', ...path, backend }] },
  };
}

export function aHttpRoute(spec: object, { name = 'hooks', namespace = SHARED.namespace }: Made = {}): Manifest {
  const metadata = { name, namespace, uid: `route-${namespace}-${name}` };
  const rules = [{ backendRefs: [{ name: SHARED.name, port: 80 }] }];
  return { apiVersion: GATEWAY_API, kind: 'HTTPRoute', metadata, spec: { rules, ...spec } };
}

/** As the controller of a Gateway writes it. */
export function takenBy(parentRef: object = {}, accepted = 'True', resolved = 'True') {
  const conditions = [
    { type: 'Accepted', status: accepted },
    { type: 'ResolvedRefs', status: resolved },
  ];
  return {
    parents: [{ parentRef: { name: 'public', ...parentRef }, controllerName: 'example.com/gateway', conditions }],
  };
}

export function aGateway(
  listeners: readonly object[],
  { name = 'public', namespace = SHARED.namespace }: Made = {},
): Manifest {
  const metadata = { name, namespace, uid: `gateway-${namespace}-${name}` };
  const named = listeners.map((listener, index) => ({ name: `listener-${index}`, ...listener }));
  return { apiVersion: GATEWAY_API, kind: 'Gateway', metadata, spec: { gatewayClassName: 'any', listeners: named } };
}

export const HTTPS = { protocol: 'HTTPS', port: 443 };
export const HTTP = { protocol: 'HTTP', port: 80 };
