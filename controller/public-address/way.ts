import { HOOKS_SERVICE_PORT } from '../resources/adapter-deployment.ts';

/** A Service of Kubernetes. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** Whether there may be an adapter behind a Service: of all others nothing is kept. */
export type MayBeOurs = (service: ServiceName) => boolean;

/** How an object leads from outside of the cluster to a Service; or why it does not, though it names it. */
export type Way<Where> = { readonly service: ServiceName } & (Where | { readonly fault: string });

/** Where a provider may reach an adapter. */
export interface Address {
  /** Base URL, without a slash at its end. */
  readonly url: string;
  /** RFC 3339, of the object that says so. */
  readonly createdAt: string;
  /** That object, as sentences name it. */
  readonly from: string;
}

export function isSameService(one: ServiceName, other: ServiceName): boolean {
  return one.namespace === other.namespace && one.name === other.name;
}

/**
 * The one to use: https first, then what the oldest object says, then the first by its name, and of one object what it says
 * first. So another object beside the one in use changes nothing, unless it brings https.
 */
export function chosenOf(addresses: readonly Address[]): Address | undefined {
  const isPlain = ({ url }: Address) => Number(!url.startsWith('https:'));
  return addresses.toSorted(
    (one, other) =>
      isPlain(one) - isPlain(other) || compare(one.createdAt, other.createdAt) || compare(one.from, other.from),
  )[0];
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

/** `undefined`: hooks would get through. */
export function portFault(port: number | string | undefined): string | undefined {
  const isHooks = port === HOOKS_SERVICE_PORT.port || port === HOOKS_SERVICE_PORT.name;
  return isHooks ? undefined : `leads to port ${port} of it, not to ${HOOKS_SERVICE_PORT.port}`;
}

/** What comes before the adapter's own path, for a path with all that is under it: `/` is nothing. */
export function prefixOf(path: string): string {
  return path.replace(/\/+$/, '');
}

/** `*.example.com` */
export function isWildcard(host: string): boolean {
  return host.startsWith('*');
}

/** Hosts under a wildcard: `labels` of them may stand for its asterisk. */
export function isUnder(host: string, wildcard: string, labels: 'one' | 'some'): boolean {
  const ending = wildcard.slice(1).toLowerCase();
  const head = host.toLowerCase().slice(0, -ending.length);
  return host.toLowerCase().endsWith(ending) && head !== '' && (labels === 'some' || !head.includes('.'));
}
