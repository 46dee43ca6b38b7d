import { keyOf, nameOf, type ObjectReference } from '../objects.ts';
import type { Listener } from './gateway.ts';
import { type AcceptedParent, type GatewayLookup, type RouteFact, routeWays } from './http-route.ts';
import { type Address, isSameService, type ServiceName, type Way } from './way.ts';

/** What is kept of an object that leads to Services; an HTTPRoute does so by way of Gateways. */
export interface Lead {
  readonly createdAt: string;
  readonly ways: readonly Way<{ readonly url: string }>[] | RouteFact;
}

export function serviceKey({ namespace, name }: ServiceName): string {
  return `${namespace}/${name}`;
}

/** Everything that leads to Services, and finds by a Service what leads there. */
export class Leads {
  readonly #objects = new Map<string, { readonly reference: ObjectReference; readonly lead: Lead }>();
  readonly #leadingTo = new Map<string, Set<string>>();
  readonly #gateways = new Map<string, readonly Listener[]>();

  /** Returns the keys of the Services it led to, or leads to now. */
  put(reference: ObjectReference, lead: Lead | undefined): ReadonlySet<string> {
    const key = keyOf(reference);
    const before = servicesOf(this.#objects.get(key)?.lead);
    for (const service of before) this.#leadingTo.get(service)?.delete(key);
    for (const service of before) if (this.#leadingTo.get(service)?.size === 0) this.#leadingTo.delete(service);
    const now = servicesOf(lead);
    for (const service of now) this.#leadingTo.set(service, (this.#leadingTo.get(service) ?? new Set()).add(key));
    if (lead) this.#objects.set(key, { reference, lead });
    else this.#objects.delete(key);
    return new Set([...before, ...now]);
  }

  putGateway({ namespace, name }: ObjectReference, listeners: readonly Listener[] | undefined): void {
    if (listeners) this.#gateways.set(`${namespace}/${name}`, listeners);
    else this.#gateways.delete(`${namespace}/${name}`);
  }

  /** `whyNot`: what is to be said of a Gateway that is not known. */
  to(
    service: ServiceName,
    whyNot: (gateway: AcceptedParent) => string,
  ): { readonly addresses: readonly Address[]; readonly faults: readonly string[] } {
    const gatewayOf = (parent: AcceptedParent): GatewayLookup => {
      const listeners = this.#gateways.get(`${parent.namespace}/${parent.name}`);
      return listeners ? { listeners } : { fault: whyNot(parent) };
    };
    const addresses: Address[] = [];
    const faults: string[] = [];
    for (const key of this.#leadingTo.get(serviceKey(service)) ?? []) {
      const { reference, lead } = this.#objects.get(key) ?? {};
      if (!reference || !lead) continue;
      const ways = 'parents' in lead.ways ? routeWays(lead.ways, reference.namespace, gatewayOf) : lead.ways;
      const from = nameOf(reference);
      for (const way of ways.filter((one) => isSameService(one.service, service))) {
        if ('fault' in way) faults.push(`${from} ${way.fault}`);
        else addresses.push({ url: way.url, createdAt: lead.createdAt, from });
      }
    }
    return { addresses, faults };
  }
}

function servicesOf(lead: Lead | undefined): ReadonlySet<string> {
  if (!lead) return new Set();
  const ways = 'parents' in lead.ways ? lead.ways.ways : lead.ways;
  return new Set(ways.map(({ service }) => serviceKey(service)));
}
