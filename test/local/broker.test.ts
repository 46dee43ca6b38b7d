import { afterEach, describe, expect, it, vi } from 'vitest';
import { SERVICE } from '../../local/kinds.ts';
import type { Received } from '../support/fake-sink.ts';
import { aSink, FAST, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestBroker } from '../support/test-broker.ts';
import { octetsOf, REQUIRED, REQUIRED_MEMBERS } from '../support/test-dumper.ts';

afterEach(stopParts);

async function aBroker(spec?: object): Promise<TestBroker> {
  const broker = await TestBroker.start(spec);
  stopAfterwards(() => broker.stop());
  return broker;
}

const BINARY = { ...REQUIRED, 'content-type': 'application/json' };
const STRUCTURED = { 'content-type': 'application/cloudevents+json' };

/** A broker whose one Trigger wants everything, and its subscriber. */
async function aBrokerAndSink() {
  const [broker, sink] = [await aBroker(), await aSink()];
  broker.trigger(sink.url('/events'));
  return { broker, sink };
}

/** Headers but those of every request. */
function eventHeaders({ rawHeaders }: Received): Record<string, string> {
  const pairs = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [],
  );
  return Object.fromEntries(
    pairs.filter(([name]) => !/^(host|connection|content-length|ce-knativearrivaltime)$/.test(name)),
  );
}

describe('an event in binary mode', () => {
  it('reaches the subscriber with what Knative adds', async () => {
    const { broker, sink } = await aBrokerAndSink();
    const before = Date.now();
    expect((await broker.post(BINARY, '{}')).status).toBe(202);
    await sink.waitFor(1);
    const [received] = sink.received as [Received];
    expect([received.path, received.body.toString()]).toEqual(['/events', '{}']);
    expect(eventHeaders(received)).toEqual({ ...BINARY, 'kn-namespace': 'demo', prefer: 'reply' });
    const arrived = String(received.headers['ce-knativearrivaltime']);
    expect(Date.parse(arrived)).toBeGreaterThanOrEqual(before);
    expect(arrived).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  const values: { name: string; value: string }[] = [
    { name: 'UTF-8', value: octetsOf('größe 🎉 – „x“') },
    { name: 'octets that are no UTF-8', value: 'a\xff\xfe' },
    { name: 'percent signs', value: '100% %41 %C3%A4 %' },
    { name: 'an empty value', value: '' },
    { name: 'tabs and quotes inside', value: 'a\t"b" \\ c' },
    { name: 'a long one', value: 'x'.repeat(1_000_000) },
  ];
  for (const { name, value } of values)
    it(`passes headers octet for octet: ${name}`, async () => {
      const { broker, sink } = await aBrokerAndSink();
      expect((await broker.post({ ...BINARY, 'ce-foo': value })).status).toBe(202);
      await sink.waitFor(1);
      expect(sink.received[0]?.headers['ce-foo'] === value).toBe(true);
    });

  const bodies: { name: string; body: Buffer }[] = [
    { name: 'every byte', body: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)) },
    { name: 'JSON as it was written', body: Buffer.from('{ "a" : 1.0e2,\r\n "a":"\\u0061" }\n') },
    { name: 'none', body: Buffer.alloc(0) },
    { name: '20 MiB', body: Buffer.alloc(20 * 1024 * 1024, 'ab') },
  ];
  for (const { name, body } of bodies)
    it(`passes the body byte for byte: ${name}`, async () => {
      const { broker, sink } = await aBrokerAndSink();
      expect((await broker.post(BINARY, body)).status).toBe(202);
      await sink.waitFor(1);
      expect(sink.received[0]?.body.equals(body)).toBe(true);
    });

  it('passes on what Knative passes on, and no other header', async () => {
    const { broker, sink } = await aBrokerAndSink();
    const passed = {
      traceparent: '00-1-2-01',
      tracestate: 'a=b',
      'x-request-id': '7',
      'knative-foo': 'x',
      'x-b3-traceid': '1',
    };
    const dropped = {
      authorization: 'Bearer x',
      cookie: 'a=b',
      'x-foo': 'y',
      prefer: 'nothing',
      'ce-knativearrivaltime': 'never',
    };
    await broker.post({ ...REQUIRED, ...passed, ...dropped }, 'x');
    await sink.waitFor(1);
    const [received] = sink.received as [Received];
    expect(eventHeaders(received)).toEqual({ ...REQUIRED, ...passed, 'kn-namespace': 'demo', prefer: 'reply' });
    expect(received.headers['ce-knativearrivaltime']).not.toContain('never');
  });
});

describe('an event in a document becomes binary', () => {
  const rows: { name: string; members: object; headers: Record<string, string>; body: string }[] = [
    {
      name: 'JSON data',
      members: { data: { a: 1 } },
      headers: { 'content-type': 'application/json' },
      body: '{"a":1}',
    },
    {
      name: 'text',
      members: { data: 'hi', datacontenttype: 'text/plain' },
      headers: { 'content-type': 'text/plain' },
      body: 'hi',
    },
    {
      name: 'Base64',
      members: { data_base64: 'aGk=', datacontenttype: 'a/b' },
      headers: { 'content-type': 'a/b' },
      body: 'hi',
    },
    { name: 'no data', members: {}, headers: {}, body: '' },
    {
      name: 'extensions; null is none',
      members: { n: 3, flag: true, text: 'größe\n', nothing: null, subject: null },
      headers: { 'ce-n': '3', 'ce-flag': 'true', 'ce-text': octetsOf('größe%0A') },
      body: '',
    },
  ];
  for (const { name, members, headers, body } of rows)
    it(name, async () => {
      const { broker, sink } = await aBrokerAndSink();
      const reply = await broker.post(
        { ...STRUCTURED, 'ce-foo': 'not of the event', traceparent: '00-1' },
        JSON.stringify({ ...REQUIRED_MEMBERS, ...members }),
      );
      expect([reply.status, reply.text]).toEqual([202, '']);
      await sink.waitFor(1);
      const [received] = sink.received as [Received];
      expect(received.body.toString()).toBe(body);
      expect(eventHeaders(received)).toEqual({
        ...REQUIRED,
        ...headers,
        traceparent: '00-1',
        'kn-namespace': 'demo',
        prefer: 'reply',
      });
    });

  it('a batch: each of them', async () => {
    const { broker, sink } = await aBrokerAndSink();
    const batch = ['1', '2', '3'].map((id) => ({ ...REQUIRED_MEMBERS, id, data: id }));
    expect(
      (await broker.post({ 'content-type': 'application/cloudevents-batch+json' }, JSON.stringify(batch))).status,
    ).toBe(202);
    await sink.waitFor(3);
    expect(
      sink.received.map(({ headers, body }) => `${String(headers['ce-id'])} ${body.toString()}`).toSorted(),
    ).toEqual(['1 "1"', '2 "2"', '3 "3"']);
  });
});

describe('what is refused', () => {
  const { 'ce-id': _id, ...withoutId } = REQUIRED;
  const rows: {
    name: string;
    headers: Record<string, string>;
    body?: string;
    path?: string;
    status: number;
    text: string;
  }[] = [
    { name: 'no event', headers: {}, body: '{}', status: 400, text: 'it has no' },
    { name: 'an attribute missing', headers: withoutId, status: 400, text: 'it has no id' },
    { name: 'another version', headers: { ...REQUIRED, 'ce-specversion': '0.3' }, status: 400, text: 'specversion' },
    { name: 'no JSON', headers: STRUCTURED, body: '{', status: 400, text: 'not JSON' },
    {
      name: 'a batch with one that is none',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body: JSON.stringify([REQUIRED_MEMBERS, {}]),
      status: 400,
      text: 'it has no',
    },
    {
      name: 'a Broker that is not there',
      headers: REQUIRED,
      path: '/demo/other',
      status: 404,
      text: 'there is no Broker demo/other',
    },
    {
      name: 'a Broker of another namespace',
      headers: REQUIRED,
      path: '/default/default',
      status: 404,
      text: 'there is no Broker default/default',
    },
    { name: 'no Broker', headers: REQUIRED, path: '/', status: 404, text: '' },
  ];
  for (const { name, headers, body = '', path, status, text } of rows)
    it(`${name}: ${status}, and nobody gets it`, async () => {
      const { broker, sink } = await aBrokerAndSink();
      const reply = await broker.post(headers, body, path);
      expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(text)]);
      await broker.post({ ...REQUIRED, 'ce-id': 'after' });
      await sink.waitFor(1);
      expect(sink.received.map((received) => received.headers['ce-id'])).toEqual(['after']);
    });
});

describe('Triggers', () => {
  it('get what they want, of their Broker and namespace', async () => {
    const [broker, sink] = [await aBroker(), await aSink()];
    broker.trigger(sink.url('/all'));
    broker.trigger(sink.url('/wanted'), { filter: { attributes: { type: 'a.b' } } });
    broker.trigger(sink.url('/unwanted'), { filter: { attributes: { type: 'b.a' } } });
    broker.trigger(sink.url('/other-broker'), { broker: 'other' });
    broker.trigger(sink.url('/other-namespace'), {}, { namespace: 'default' });
    await broker.post(REQUIRED);
    await sink.waitFor(2);
    broker.trigger(sink.url('/last'));
    await broker.post(REQUIRED);
    await sink.waitFor(5);
    expect(sink.received.map(({ path }) => path).toSorted()).toEqual(['/all', '/all', '/last', '/wanted', '/wanted']);
  });

  it('whose subscriber is not there: said, and the others get it', async () => {
    const { broker, sink } = await aBrokerAndSink();
    const ref = { apiVersion: 'v1', kind: 'Service', name: 'nobody' };
    broker.trigger('x', { subscriber: { ref }, delivery: { ...FAST, retry: 2 } }, { name: 'lost' });
    await broker.post(REQUIRED);
    await sink.waitFor(1);
    await vi.waitFor(() =>
      expect(broker.problems).toEqual([
        'Trigger demo/lost: Service demo/nobody (v1) not found: create it, or name another sink; tried again up to 2 times (event 1)',
        'Trigger demo/lost: Service demo/nobody (v1) not found: create it, or name another sink; given up: the event is lost (event 1)',
      ]),
    );
  });

  it('whose subscriber comes a moment later: it gets the event', async () => {
    const { broker, sink } = await aBrokerAndSink();
    const ref = { ...SERVICE, name: 'late' };
    broker.trigger('x', { subscriber: { ref }, delivery: { ...FAST, backoffPolicy: 'linear', retry: 100 } });
    await broker.post(REQUIRED);
    await vi.waitFor(() => expect(broker.problems).toHaveLength(1));
    broker.apply(SERVICE, 'late', {});
    broker.cluster.setStatus({ ...ref, namespace: 'demo' }, { address: { url: sink.url('/late') } });
    await vi.waitFor(() => expect(sink.received.map(({ path }) => path)).toContain('/late'));
    expect(broker.losses).toEqual([]);
  });
});
