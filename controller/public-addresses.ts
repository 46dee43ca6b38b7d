import { isDeepStrictEqual } from 'node:util';
import type { Cluster, Following } from './cluster.ts';
import type { KubeObject, ObjectKind } from './objects.ts';
import { type Listener, listenersOf } from './public-address/gateway.ts';
import { type AcceptedParent, routeFact } from './public-address/http-route.ts';
import { ingressWays } from './public-address/ingress.ts';
import { knativeServiceUrl } from './public-address/knative-service.ts';
import { type Lead, Leads, serviceKey } from './public-address/leads.ts';
import { chosenOf, isSameService, type MayBeOurs, prefixOf, type ServiceName } from './public-address/way.ts';
import { isAdapterServiceName } from './resources/adapter-deployment.ts';
import { blocked, isBlocked, type Retry, type Step } from './step.ts';

/** `faults`: what names the Service and does not lead to it, and what may not be read; half a sentence each. */
export type PublicAddress =
  | { readonly kind: 'found'; readonly url: string }
  | { readonly kind: 'none'; readonly faults: readonly string[] }
  /** The cluster did not say yet. */
  | { readonly kind: 'unread' };

/** Where providers reach adapters, as the objects say that make Services public. */
export interface PublicAddresses {
  /** The Service of the adapter of all sources. */
  readonly shared: ServiceName;
  of(service: ServiceName): Promise<PublicAddress>;
}

/** Where nothing is made public. */
export const NO_ADDRESSES: PublicAddresses = {
  shared: { namespace: '', name: '' },
  of: async () => ({ kind: 'none', faults: [] }),
};

/** `why`: nobody can reach the Service, and what would help. */
export function baseAt(address: PublicAddress, why: string): Step<string> {
  switch (address.kind) {
    case 'found':
      return { done: address.url };
    case 'none':
      return blocked('NoPublicAddress', [why, ...address.faults].join('; '));
    case 'unread':
      return blocked(
        'NoPublicAddress',
        'the cluster did not say yet what makes the adapter public',
        UNREAD_RETRY,
        'Unknown',
      );
    default:
      return address satisfies never;
  }
}

const UNREAD_RETRY: Retry = { when: 'backoff', longestMs: 10_000 };

export interface FollowedAddressesOptions {
  readonly cluster: Pick<Cluster, 'follow'>;
  readonly shared: ServiceName;
  /** The Knative Service that the adapter of all sources may be; undefined: its address is not wanted. */
  readonly sharedKnativeService: ServiceName | undefined;
  /** Whether single sources have adapters. */
  readonly hasDedicated: boolean;
  /** Of the sources that are served; empty: all. */
  readonly namespaces: readonly string[];
  /** Told when `of` has another answer for a Service it was asked about. */
  readonly onChange: (service: ServiceName) => void;
  /** How long an address must have been gone, or another, before that counts, in milliseconds. */
  readonly settleMs: number;
  /** How long `of` waits for a cluster that did not say anything yet, in milliseconds. */
  readonly firstWaitMs: number;
}

type Known = Parameters<Following<unknown>['onKnown']>[0];

interface Answer {
  readonly service: ServiceName;
  given: PublicAddress;
  settling?: NodeJS.Timeout | undefined;
}

const INGRESS: ObjectKind = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' };
const HTTP_ROUTE: ObjectKind = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute' };
const GATEWAY: ObjectKind = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway' };
const KNATIVE_SERVICE: ObjectKind = { apiVersion: 'serving.knative.dev/v1', kind: 'Service' };

/**
 * By Ingresses, HTTPRoutes with their Gateways, and the Knative Service of the shared adapter, which are followed from the
 * first question on. No more of them is kept than leads to an adapter.
 */
export class FollowedAddresses implements PublicAddresses {
  readonly #options: FollowedAddressesOptions;
  readonly #mayBeOurs: MayBeOurs;
  readonly #leads = new Leads();
  /** What is known of each place that is followed. */
  readonly #known = new Map<string, Known | undefined>();
  readonly #complete = Promise.withResolvers<void>();
  readonly #late = Promise.withResolvers<void>();
  #isComplete = false;
  /** By Service. */
  readonly #answers = new Map<string, Answer>();

  constructor(options: FollowedAddressesOptions) {
    this.#options = options;
    const { shared, hasDedicated } = options;
    this.#mayBeOurs = (service) =>
      isSameService(service, shared) || (hasDedicated && isAdapterServiceName(service.name));
  }

  get shared(): ServiceName {
    return this.#options.shared;
  }

  async of(service: ServiceName): Promise<PublicAddress> {
    if (this.#known.size === 0) this.#follow();
    if (!this.#isComplete) await Promise.race([this.#complete.promise, this.#late.promise]);
    if (!this.#isComplete) return { kind: 'unread' };
    const key = serviceKey(service);
    const answer = this.#answers.get(key) ?? { service, given: this.#find(service) };
    this.#answers.set(key, answer);
    return answer.given;
  }

  #follow(): void {
    const { shared, sharedKnativeService, hasDedicated, namespaces, firstWaitMs } = this.#options;
    setTimeout(this.#late.resolve, firstWaitMs).unref();
    const places = namespaces.length === 0 ? [undefined] : [...new Set([shared.namespace, ...namespaces])];
    // An Ingress is in the namespace of its backend, an HTTPRoute need not be.
    for (const place of hasDedicated ? places : [shared.namespace])
      this.#followLeads(INGRESS, place, (object) => ingressWays(object, this.#mayBeOurs));
    for (const place of places)
      this.#followLeads(HTTP_ROUTE, place, (object) => routeFact(object, this.#mayBeOurs) ?? []);
    if (!sharedKnativeService) return;
    const { namespace, name } = sharedKnativeService;
    const ways = (object: KubeObject) => {
      const url = knativeServiceUrl(object);
      return [{ service: shared, ...(isBlocked(url) ? { fault: url.blocked.message } : { url: prefixOf(url.done) }) }];
    };
    this.#followLeads(KNATIVE_SERVICE, namespace, ways, name);
  }

  #followLeads(
    kind: ObjectKind,
    namespace: string | undefined,
    waysOf: (object: KubeObject) => Lead['ways'],
    name?: string,
  ): void {
    const keep = (object: KubeObject): Lead | undefined => {
      const ways = waysOf(object);
      const isNone = Array.isArray(ways) && ways.length === 0;
      return isNone ? undefined : { createdAt: object.metadata.creationTimestamp, ways };
    };
    const onChange: Following<Lead>['onChange'] = (reference, lead) => {
      const parents = lead && 'parents' in lead.ways ? lead.ways.parents : [];
      for (const parent of parents) this.#followGateways(parent.namespace);
      for (const service of this.#leads.put(reference, lead)) this.#consider(this.#answers.get(service));
    };
    this.#followIn({ kind, namespace, name, keep, onChange });
  }

  /** Those that an HTTPRoute of ours names. */
  #followGateways(wanted: string): void {
    const namespace = this.#options.namespaces.length === 0 ? undefined : wanted;
    if (this.#known.has(placeKey(GATEWAY, namespace))) return;
    const onChange: Following<readonly Listener[]>['onChange'] = (reference, listeners) => {
      this.#leads.putGateway(reference, listeners);
      this.#considerAll();
    };
    this.#followIn({ kind: GATEWAY, namespace, keep: listenersOf, onChange });
  }

  #followIn<Kept>(following: Omit<Following<Kept>, 'onKnown'>): void {
    const place = placeKey(following.kind, following.namespace);
    this.#known.set(place, undefined);
    const onKnown = (known: Known) => {
      this.#known.set(place, known);
      if (!this.#isComplete && [...this.#known.values()].includes(undefined)) return;
      this.#isComplete = true;
      this.#complete.resolve();
      this.#considerAll();
    };
    this.#options.cluster.follow({ ...following, onKnown });
  }

  #find(service: ServiceName): PublicAddress {
    const { addresses, faults } = this.#leads.to(service, (gateway) => this.#whyUnknown(gateway));
    const chosen = chosenOf(addresses);
    if (chosen) return { kind: 'found', url: chosen.url };
    const forbidden = [...this.#known.values()].flatMap((known) => (typeof known === 'object' ? known.forbidden : []));
    const rights = [...new Set(forbidden)].map(
      (rule) => `the controller may not read what would say more: give it ${rule}`,
    );
    return { kind: 'none', faults: [...faults, ...rights] };
  }

  #whyUnknown({ namespace, name }: AcceptedParent): string {
    const known = this.#known.get(placeKey(GATEWAY, namespace)) ?? this.#known.get(placeKey(GATEWAY, undefined));
    const why = known === 'all' ? 'which is not there' : 'which is not known';
    return `is accepted by Gateway ${namespace}/${name}, ${why}`;
  }

  #considerAll(): void {
    for (const answer of this.#answers.values()) this.#consider(answer);
  }

  /** Who replaces an Ingress, or restarts a Gateway's controller, is not to have all webhooks moved to and fro. */
  #consider(answer: Answer | undefined): void {
    if (!answer) return;
    const isSame = isDeepStrictEqual(answer.given, this.#find(answer.service));
    if (isSame) {
      clearTimeout(answer.settling);
      answer.settling = undefined;
    } else if (answer.given.kind === 'found') {
      answer.settling ??= setTimeout(() => this.#change(answer), this.#options.settleMs).unref();
    } else this.#change(answer);
  }

  #change(answer: Answer): void {
    answer.settling = undefined;
    answer.given = this.#find(answer.service);
    this.#options.onChange(answer.service);
  }
}

function placeKey({ kind }: ObjectKind, namespace: string | undefined): string {
  return `${kind} ${namespace ?? ''}`;
}
