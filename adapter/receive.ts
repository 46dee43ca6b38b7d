import type { Delivery, ProviderEvent, VerifiedDelivery } from '../sources/contract.ts';
import type { Deduplication } from './deduplication.ts';
import type { DeliveryOutcome, OutgoingEvent } from './deliver.ts';
import type { ReceiveOutcome } from './outcome.ts';
import type { RouteTable, ServedRoute } from './route-table.ts';

export interface ReceiverDeps {
  readonly routes: RouteTable;
  readonly deduplication: Deduplication;
  /** Delivers the event, or stores it, within the time the provider waits. */
  readonly keep: (event: OutgoingEvent, route: ServedRoute) => Promise<DeliveryOutcome>;
  readonly now: () => Date;
}

export interface Receipt {
  readonly outcome: ReceiveOutcome;
  readonly route?: ServedRoute;
  readonly event?: ProviderEvent;
}

/** One delivery from its last byte to its outcome. */
export async function receiveDelivery(delivery: Delivery, deps: ReceiverDeps): Promise<Receipt> {
  const route = deps.routes.find(delivery.path);
  if (!route) return { outcome: unknownPath(delivery.path) };
  const now = deps.now();
  const verified = verifyDelivery(route, delivery, now);
  if (!verified) return { route, outcome: { kind: 'forged' } };
  const time = now.toISOString();
  route.state.lastAuthentic = { time, secretToken: verified.secretIndex, generation: route.route.generation };
  const event = route.definition.toEvent(verified, route.route.provider);
  if ('malformed' in event) return { route, outcome: { kind: 'malformed', detail: event.malformed } };
  if (!isWanted(route, event.eventType)) return { route, event, outcome: { kind: 'filtered' } };
  const { attributes, data } = event;
  const arrival = { uid: route.route.uid, id: attributes.id, digest: verified.digest, body: verified.body };
  const keep = () => deps.keep({ attributes, time, data }, route);
  const { outcome, conflict } = await deps.deduplication.once(arrival, keep);
  if (conflict) route.state.conflicts += 1;
  return { route, event, outcome };
}

const LONGEST_PATH = 200;

/** The path helps to find a mistyped webhook URL; it is cut, since anybody can choose it. */
export function unknownPath(path: string): ReceiveOutcome {
  return { kind: 'unknown-path', path: path.slice(0, LONGEST_PATH) };
}

/** The only maker of verified deliveries: tries every secret of the route that is still valid. */
export function verifyDelivery(route: ServedRoute, delivery: Delivery, now: Date): VerifiedDelivery | undefined {
  for (const [secretIndex, secret] of route.secrets.entries()) {
    if (secret.validUntilMs <= now.getTime()) continue;
    const digest = route.definition.authenticate(delivery, secret.key);
    if (digest) return { ...delivery, digest, secretIndex } as VerifiedDelivery;
  }
  return undefined;
}

function isWanted({ eventTypes, definition }: ServedRoute, eventType: string): boolean {
  return eventTypes.has(eventType) || eventTypes.has('*') || definition.alwaysDelivered.has(eventType);
}
