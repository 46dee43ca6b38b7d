import type { Agent } from 'node:http';
import type { BodyForm, JsonObject, SignedDelivery } from '../../sources/contract.ts';
import { simulator } from '../../sources/github/simulator.ts';
import { SECRET } from './builders.ts';
import { type Reply, send } from './post.ts';
import type { TestAdapter } from './test-adapter.ts';

/** A signed delivery of a small event; a test names only what matters to it. */
export function aDelivery(
  options: { eventType?: string; payload?: JsonObject | Buffer; id?: string; secret?: string; form?: BodyForm } = {},
): SignedDelivery {
  const { eventType = 'issues', payload = { action: 'opened', issue: { number: 7 } }, secret = SECRET } = options;
  const { id, form } = options;
  return simulator.deliver({ eventType, payload, ...(id === undefined ? {} : { id }), ...(form && { form }) }, secret);
}

/** Posts it where the route `uid` is served. */
export function post(adapter: TestAdapter, delivery: SignedDelivery, uid = '0a1b2c3d', agent?: Agent): Promise<Reply> {
  return send(adapter.url(`/hooks/${uid}`), { headers: delivery.headers, body: delivery.body }, agent);
}
