import { Agent } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { textOfHeader } from '../../core/cloud-event.ts';
import type { BodyForm, SignedDelivery } from '../../sources/contract.ts';
import { simulator } from '../../sources/github/simulator.ts';
import { attributeTable, expectedAttributes } from '../sources/github/attribute-table.ts';
import { aRoute, SECRET } from '../support/builders.ts';
import { FakeSink, type Received } from '../support/fake-sink.ts';
import { send } from '../support/post.ts';
import { TestAdapter } from '../support/test-adapter.ts';

let sink: FakeSink;
let adapter: TestAdapter;
const agent = new Agent({ keepAlive: true, maxSockets: 16 });
const source = 'https://github.com/octo/hello';

beforeAll(async () => {
  sink = await FakeSink.start();
  adapter = await TestAdapter.start([aRoute({ sink: { url: sink.url('/events?x=1') }, eventSource: source })]);
});
afterAll(async () => {
  await adapter.stop();
  await sink.close();
  agent.destroy();
});

async function deliver(delivery: SignedDelivery): Promise<Received> {
  const reply = await send(adapter.url('/hooks/0a1b2c3d'), { headers: delivery.headers, body: delivery.body }, agent);
  expect(reply.status).toBe(202);
  const received = sink.received.filter(({ headers }) => headers['ce-id'] === delivery.id);
  expect(received).toHaveLength(1);
  return received[0] as Received;
}

function attributesOf({ headers }: Received): Record<string, string> {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith('ce-'));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(3), textOfHeader(String(value))]));
}

it('knows every recorded event in the table written by hand', () => {
  expect(simulator.recordedEvents).toHaveLength(329);
  expect([...new Set(simulator.recordedEvents.map(({ eventType }) => eventType))].toSorted()).toEqual(
    Object.keys(attributeTable).toSorted(),
  );
});

describe.each<BodyForm>(['compact', 'indented', 'escaped', 'form'])('the 329 recorded payloads, %s', (form) => {
  it('arrive byte for byte, with the attributes of the table', { timeout: 60_000 }, async () => {
    for (const { eventType, payload } of simulator.recordedEvents) {
      const delivery = simulator.deliver({ eventType, payload, form }, SECRET);
      const text = delivery.data.toString('utf8');
      expect(JSON.stringify(JSON.parse(text)) === text).toBe(form === 'compact' || form === 'form');
      const received = await deliver(delivery);
      expect(received.body.equals(delivery.data)).toBe(true);
      expect(received.path).toBe('/events?x=1');
      expect(received.headers).toMatchObject({ 'content-type': 'application/json', 'kn-namespace': 'demo' });
      const { id, time, source: eventSource, ...attributes } = attributesOf(received);
      expect({ id, eventSource, attributes }).toEqual({
        id: delivery.id,
        eventSource: source,
        attributes: expectedAttributes(eventType, payload),
      });
      expect(Math.abs(Date.parse(time ?? '') - Date.now())).toBeLessThan(5000);
    }
  });
});

describe('bodies that do not survive being parsed and written again', () => {
  const cases: { name: string; eventType: string; data: Buffer; attributes: Record<string, string> }[] = [
    {
      name: 'numbers a double cannot hold, a fraction of zero, a duplicate key',
      eventType: 'thing_happened',
      data: Buffer.from('{"a":1.0,"n":12345678901234567890,"a":2}'),
      attributes: { type: 'dev.knative.source.github.thing_happened' },
    },
    {
      name: 'an id beyond 2^53 as subject',
      eventType: 'thing_happened',
      data: Buffer.from('{"thing":{"id":12345678901234567890}}'),
      attributes: { type: 'dev.knative.source.github.thing_happened', subject: '12345678901234567890' },
    },
    {
      name: 'invalid UTF-8 inside a string',
      eventType: 'issues',
      data: Buffer.concat([
        Buffer.from('{"action":"'),
        Buffer.from([0xff, 0xfe, 0xc3]),
        Buffer.from('","issue":{"number":7}}'),
      ]),
      attributes: { type: 'dev.knative.source.github.issues', subject: '7' },
    },
    {
      name: 'an event named like a member of every object',
      eventType: 'constructor',
      data: Buffer.from('{"__proto__":{"id":3},"action":"x"}'),
      attributes: { type: 'dev.knative.source.github.constructor', subject: '3', action: 'x' },
    },
  ];
  for (const { name, eventType, data, attributes } of cases) {
    for (const form of ['compact', 'form'] as const) {
      it(`${name}, ${form}`, async () => {
        const payload = data;
        const delivery = simulator.deliver({ eventType, payload, form }, SECRET);
        const received = await deliver(delivery);
        expect(received.body.equals(data)).toBe(true);
        expect(attributesOf(received)).toMatchObject(attributes);
      });
    }
  }
});
