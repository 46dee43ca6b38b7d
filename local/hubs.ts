import { nameOf, type ObjectKind, type ObjectReference } from '../controller/objects.ts';
import type { DeliverySpec } from '../core/route.ts';
import { isWanted, type TriggerFilters } from '../core/trigger-filter.ts';
import type { SinkDestination } from '../sources/fields.ts';
import { BROKER, CHANNEL, IN_MEMORY_CHANNEL, SUBSCRIPTION, TRIGGER } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';

/** What takes events and hands them on: a Broker, Channel or InMemoryChannel. */
export type Hub = ObjectReference;

/** Where the hubs of each kind are, on the port they share. */
export const HUB_PATHS: readonly (readonly [kind: ObjectKind, path: string])[] = [
  [BROKER, ''],
  [CHANNEL, '/channels'],
  [IN_MEMORY_CHANNEL, '/inmemorychannels'],
];

export interface Delivery extends DeliverySpec {
  readonly deadLetterSink?: SinkDestination | undefined;
}

/** Of a Trigger, which has a `broker`, or a Subscription, which has a `channel`. */
export interface ConsumerSpec extends TriggerFilters {
  readonly broker?: string;
  readonly channel?: ObjectKind & { readonly name: string };
  readonly subscriber: SinkDestination;
  readonly reply?: SinkDestination;
  readonly delivery?: Delivery;
}

/** One whom a hub hands events to, as a Trigger or a Subscription says. */
export interface Consumer {
  /** `Trigger demo/all` */
  readonly name: string;
  readonly namespace: string;
  readonly subscriber: SinkDestination;
  /** Where the events go that the subscriber answers with; undefined: nowhere. */
  readonly reply: SinkDestination | undefined;
  readonly delivery: Delivery;
  readonly wants: (attributes: Readonly<Record<string, string>>) => boolean;
}

/** What Knative's installation gives a Broker that says nothing; a Channel is given nothing. */
const BROKER_DELIVERY = { retry: 10, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' } as const;
const CHANNEL_DELIVERY = { retry: 0 } as const;

export function pathOf(hub: Hub): string {
  const [, path] = HUB_PATHS.find(([kind]) => isOfKind(kind, hub)) ?? [];
  return `${path ?? ''}/${hub.namespace}/${hub.name}`;
}

/** The hub that a destination names; undefined where it is something else. */
export function hubIn({ ref, uri }: SinkDestination, namespace: string): Hub | undefined {
  if (!ref || uri !== undefined || !HUB_PATHS.some(([kind]) => isOfKind(kind, ref))) return undefined;
  return { ...ref, namespace: ref.namespace || namespace };
}

/** The hub that a Trigger or Subscription is of, which is in its namespace. */
export function hubOf({ broker = '', channel }: ConsumerSpec, namespace: string): Hub {
  return { ...(channel ?? { ...BROKER, name: broker }), namespace };
}

export function consumersOf(hub: Hub, cluster: MemoryCluster): Consumer[] {
  const { delivery: inherited } = (cluster.find(hub)?.spec ?? {}) as { delivery?: Delivery };
  const isBroker = isOfKind(BROKER, hub);
  const [kind, usual] = isBroker ? [TRIGGER, BROKER_DELIVERY] : [SUBSCRIPTION, CHANNEL_DELIVERY];
  return cluster
    .all(kind)
    .map(({ metadata: { namespace, name }, spec }) => ({ namespace, name, spec: spec as ConsumerSpec }))
    .filter(({ namespace, spec }) => namespace === hub.namespace && isSame(hubOf(spec, namespace), hub))
    .map(({ namespace, name, spec }) => ({
      name: nameOf({ ...kind, namespace, name }),
      namespace,
      subscriber: spec.subscriber,
      reply: isBroker ? { ref: hub } : spec.reply,
      // A dead-letter sink is inherited also where the rest is not.
      delivery: {
        ...usual,
        ...(spec.delivery ?? inherited),
        deadLetterSink: spec.delivery?.deadLetterSink ?? inherited?.deadLetterSink,
      },
      wants: (attributes) => isWanted(attributes, spec),
    }));
}

function isSame(one: Hub, other: Hub): boolean {
  return isOfKind(one, other) && one.name === other.name;
}

function isOfKind(one: ObjectKind, other: ObjectKind): boolean {
  return one.apiVersion === other.apiVersion && one.kind === other.kind;
}
