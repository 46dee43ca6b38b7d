import { type CloudEvent, HTTP } from 'cloudevents';
import { afterEach, describe, expect, it } from 'vitest';
import { aDelivery, post } from '../support/deliveries.ts';
import { anAdapter, aSink, FAST, stopParts } from '../support/parts.ts';

afterEach(stopParts);

// The names of these tests are in docs/conformance.md.
describe('an event on its way to the sink', () => {
  it('is posted as a CloudEvent 1.0 in binary mode over HTTP/1.1', async () => {
    const sink = await aSink();
    const requests: string[] = [];
    sink.answer((response) => {
      requests.push(`${response.req.method} HTTP/${response.req.httpVersion}`);
      response.writeHead(202).end();
    });
    const adapter = await anAdapter({ sink: { url: sink.url('/in') } });
    const delivery = aDelivery();
    expect((await post(adapter, delivery)).status).toBe(202);
    expect(requests).toEqual(['POST HTTP/1.1']);
    const [received] = sink.received;
    const body = received?.body.toString() ?? '';
    const event = HTTP.toEvent({ headers: received?.headers ?? {}, body }) as CloudEvent;
    expect(event).toMatchObject({
      specversion: '1.0',
      id: delivery.id,
      type: 'dev.knative.source.github.issues',
      source: 'https://github.com/octo/hello',
      datacontenttype: 'application/json',
    });
    expect(event.validate()).toBe(true);
    expect(received?.headers['ce-time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    expect(received?.body).toEqual(delivery.body);
  });

  it('carries the extensions of ceOverrides, added or in place of its own', async () => {
    const sink = await aSink(202);
    const extensions = { team: 'blue', action: 'mine' };
    const adapter = await anAdapter({ sink: { url: sink.url() }, ceOverrides: { extensions } });
    await post(adapter, aDelivery());
    expect(sink.received[0]?.headers).toMatchObject({ 'ce-team': 'blue', 'ce-action': 'mine' });
  });

  const again = [404, 408, 409, 429, 500, 502, 503, 504, 599];
  const never = [200, 202, 204, 299, 300, 302, 307, 400, 401, 403, 405, 410, 413, 422];
  it('is sent again after 404, 408, 409, 429, 5xx and no answer, and after nothing else', async () => {
    for (const status of [...again, ...never]) {
      const sink = await aSink(status);
      const adapter = await anAdapter({ sink: { url: sink.url() }, delivery: { ...FAST, retry: 1 } });
      await post(adapter, aDelivery());
      expect([status, sink.received.length]).toEqual([status, again.includes(status) ? 2 : 1]);
    }
    const sink = await aSink();
    sink.answer((response) => void response.destroy());
    const adapter = await anAdapter({ sink: { url: sink.url() }, delivery: { ...FAST, retry: 1 } });
    await post(adapter, aDelivery());
    expect(sink.received).toHaveLength(2);
  });

  it('keeps source and id each time it is sent', async () => {
    const sink = await aSink(503, 503, 202);
    const adapter = await anAdapter({ sink: { url: sink.url() } });
    await post(adapter, aDelivery({ id: 'one' }));
    const seen = sink.received.map(({ headers }) => [headers['ce-source'], headers['ce-id']]);
    expect(seen).toEqual(Array.from({ length: 3 }, () => ['https://github.com/octo/hello', 'one']));
  });

  it('waits longer before each time', async () => {
    const sink = await aSink(503, 503, 503, 202);
    const adapter = await anAdapter({ sink: { url: sink.url() }, delivery: { backoffDelay: 'PT0.05S' } });
    expect((await post(adapter, aDelivery())).status).toBe(202);
    const times = sink.received.map(({ at }) => at);
    const waits = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(50 * 2 ** index - 5);
    expect(waits).toHaveLength(3);
  });

  it('asks for no reply, and one that comes all the same is an acceptance', async () => {
    const sink = await aSink();
    const reply = { 'ce-id': 'r', 'ce-type': 't', 'ce-source': 's', 'ce-specversion': '1.0' };
    sink.answer((response) => void response.writeHead(200, reply).end('{}'));
    const adapter = await anAdapter({ sink: { url: sink.url() } });
    expect((await post(adapter, aDelivery())).status).toBe(202);
    expect(sink.received).toHaveLength(1);
    expect(sink.received[0]?.headers['prefer']).toBeUndefined();
  });

  it('goes to the dead-letter sink when it cannot be delivered', async () => {
    const [sink, last] = [await aSink(400), await aSink(202)];
    const adapter = await anAdapter({ sink: { url: sink.url() }, deadLetterSink: { url: last.url() } });
    const delivery = aDelivery();
    expect((await post(adapter, delivery)).status).toBe(202);
    expect(last.received[0]?.body).toEqual(delivery.body);
    expect(last.received[0]?.headers).toMatchObject({ 'ce-id': delivery.id, 'ce-knativeerrorcode': '400' });
  });
});
