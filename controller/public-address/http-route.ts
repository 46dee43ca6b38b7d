import type { KubeObject } from '../objects.ts';
import { type Listener, urlsAt } from './gateway.ts';
import { type MayBeOurs, portFault, prefixOf, type ServiceName, type Way } from './way.ts';

/** Kept of an HTTPRoute (gateway.networking.k8s.io/v1) that names a Service that may be ours. */
export interface RouteFact {
  /** Empty: all of the listener's. */
  readonly hostnames: readonly string[];
  /** The Gateways that take it. */
  readonly parents: readonly AcceptedParent[];
  readonly ways: readonly Way<{ readonly prefix: string }>[];
}

export interface AcceptedParent {
  readonly namespace: string;
  readonly name: string;
  /** Of the listener; undefined: each. */
  readonly sectionName: string | undefined;
  readonly port: number | undefined;
  /** Whether the Gateway may pass on to what the route names in other namespaces (ReferenceGrant). */
  readonly isGranted: boolean;
}

interface HttpRoute {
  readonly spec?: { readonly hostnames?: readonly string[]; readonly rules?: readonly Rule[] };
  readonly status?: { readonly parents?: readonly ParentStatus[] };
}

interface Rule {
  readonly matches?: readonly Match[];
  readonly filters?: readonly {
    readonly type: string;
    readonly urlRewrite?: { readonly path?: { readonly type: string } };
  }[];
  readonly backendRefs?: readonly BackendRef[];
}

interface Match {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly method?: string;
  readonly headers?: readonly unknown[];
  readonly queryParams?: readonly unknown[];
}

interface BackendRef {
  readonly group?: string;
  readonly kind?: string;
  readonly namespace?: string;
  readonly name: string;
  readonly port?: number;
  readonly weight?: number;
}

interface ParentStatus {
  readonly parentRef: {
    readonly group?: string;
    readonly kind?: string;
    readonly namespace?: string;
    readonly name: string;
    readonly sectionName?: string;
    readonly port?: number;
  };
  readonly conditions?: readonly { readonly type: string; readonly status: string }[];
}

/** undefined: it leads to no Service that may be ours. */
export function routeFact(
  { metadata: { namespace }, ...rest }: KubeObject,
  mayBeOurs: MayBeOurs,
): RouteFact | undefined {
  const { spec, status } = rest as HttpRoute;
  const ways = (spec?.rules ?? []).flatMap((rule) =>
    (rule.backendRefs ?? []).flatMap((backend) => {
      const service: ServiceName = { namespace: backend.namespace ?? namespace, name: backend.name };
      const isService = (backend.group ?? '') === '' && (backend.kind ?? 'Service') === 'Service';
      return isService && backend.weight !== 0 && mayBeOurs(service) ? waysOf(service, backend, rule) : [];
    }),
  );
  if (ways.length === 0) return undefined;
  const parents = (status?.parents ?? []).flatMap((parent) => acceptedBy(parent, namespace) ?? []);
  return { hostnames: spec?.hostnames ?? [], parents, ways };
}

/** What is known of a Gateway, or why nothing is. */
export type GatewayLookup = { readonly listeners: readonly Listener[] } | { readonly fault: string };

/** How an HTTPRoute leads to the Services it names, by way of the Gateways that take it. */
export function routeWays(
  { hostnames, parents, ways }: RouteFact,
  namespace: string,
  gatewayOf: (gateway: AcceptedParent) => GatewayLookup,
): readonly Way<{ readonly url: string }>[] {
  return ways.flatMap((way): readonly Way<{ readonly url: string }>[] => {
    const { service } = way;
    if ('fault' in way) return [way];
    const reaching = parents.filter(({ isGranted }) => isGranted || service.namespace === namespace);
    if (reaching.length === 0) return [{ service, fault: 'is accepted by no Gateway' }];
    const found = reaching.map(gatewayOf);
    const urls = found.flatMap((gateway, index) =>
      'fault' in gateway
        ? []
        : gateway.listeners.filter(isOf(reaching[index])).flatMap((one) => urlsAt(one, hostnames)),
    );
    if (urls.length > 0) return urls.map((url) => ({ service, url: url + way.prefix }));
    const faults = found.flatMap((gateway) => ('fault' in gateway ? [gateway.fault] : []));
    return [{ service, fault: faults[0] ?? 'names no single host, nor does a listener of its Gateway' }];
  });
}

function isOf(parent: AcceptedParent | undefined): (listener: Listener) => boolean {
  const { sectionName, port } = parent ?? {};
  return (listener) =>
    (sectionName === undefined || listener.name === sectionName) && (port === undefined || listener.port === port);
}

const GATEWAY_GROUP = 'gateway.networking.k8s.io';
/** What stands where a rule has no match (HTTPRouteRule.matches). */
const EVERYTHING: readonly Match[] = [{}];

function waysOf(service: ServiceName, { port }: BackendRef, { matches, filters = [] }: Rule): RouteFact['ways'] {
  const isAnswered = filters.some(({ type }) => type === 'RequestRedirect');
  const isCut = filters.some(({ urlRewrite }) => urlRewrite?.path?.type === 'ReplaceFullPath');
  const fault =
    portFault(port) ??
    (isAnswered ? 'redirects requests to it' : undefined) ??
    (isCut ? 'replaces whole paths of requests to it' : undefined);
  if (fault !== undefined) return [{ service, fault }];
  return (matches?.length ? matches : EVERYTHING).map((match) => ({ service, ...whereTo(match) }));
}

function whereTo({ path = {}, method = 'POST', headers = [], queryParams = [] }: Match) {
  const { type = 'PathPrefix', value = '/' } = path;
  if (type !== 'PathPrefix') return { fault: `matches path ${value} by ${type}: make it PathPrefix` };
  const isAny = method === 'POST' && headers.length === 0 && queryParams.length === 0;
  return isAny ? { prefix: prefixOf(value) } : { fault: 'takes some requests to it alone: match all with method POST' };
}

function acceptedBy({ parentRef, conditions = [] }: ParentStatus, namespace: string): AcceptedParent | undefined {
  const { group = GATEWAY_GROUP, kind = 'Gateway', name, sectionName, port } = parentRef;
  const statusOf = (type: string) => conditions.find((condition) => condition.type === type)?.status;
  if (group !== GATEWAY_GROUP || kind !== 'Gateway' || statusOf('Accepted') !== 'True') return undefined;
  const isGranted = statusOf('ResolvedRefs') !== 'False';
  return { namespace: parentRef.namespace ?? namespace, name, sectionName, port, isGranted };
}
