import assert from 'node:assert/strict';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AddressGuard } from '../../core/address-guard.ts';
import { FakeSink, type Received } from '../support/fake-sink.ts';
import { aSink, FAST, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestBroker } from '../support/test-broker.ts';
import { octetsOf, REQUIRED, REQUIRED_MEMBERS } from '../support/test-dumper.ts';

afterEach(stopParts);

async function aBroker(delivery?: object): Promise<TestBroker> {
  const broker = await TestBroker.start(delivery && { delivery });
  stopAfterwards(() => broker.stop());
  return broker;
}

/** Where nobody listens. */
async function goneUrl(): Promise<string> {
  const sink = await FakeSink.start();
  const url = sink.url();
  await sink.close();
  return url;
}

const saidOf = (broker: TestBroker, problems: unknown[]) =>
  vi.waitFor(() => expect(broker.losses).toEqual(problems), { timeout: 5000 });

describe('retries', () => {
  const rows: { name: string; statuses: number[]; delivery: object; calls: number; accepted: boolean }[] = [
    { name: '503 twice, then 202', statuses: [503, 503, 202], delivery: { retry: 3 }, calls: 3, accepted: true },
    {
      name: '503 for ever: as often as retry says',
      statuses: [503],
      delivery: { retry: 2 },
      calls: 3,
      accepted: false,
    },
    {
      name: '404, 408, 409, 429, 500: they may pass',
      statuses: [404, 408, 409, 429, 500, 200],
      delivery: { retry: 5 },
      calls: 6,
      accepted: true,
    },
    { name: '503 without retry', statuses: [503], delivery: { retry: 0 }, calls: 1, accepted: false },
    {
      name: '503 ten times: the default',
      statuses: [...Array.from({ length: 10 }, () => 503), 202],
      delivery: {},
      calls: 11,
      accepted: true,
    },
    { name: '400: never', statuses: [400, 202], delivery: { retry: 3 }, calls: 1, accepted: false },
    { name: '301: never', statuses: [301, 202], delivery: { retry: 3 }, calls: 1, accepted: false },
  ];
  for (const { name, statuses, delivery, calls, accepted } of rows)
    it(name, async () => {
      const [broker, sink, last] = [await aBroker(), await aSink(...statuses), await aSink()];
      const deadLetterSink = { uri: last.url() };
      broker.trigger(
        sink.url(),
        { delivery: { ...FAST, backoffPolicy: 'linear', deadLetterSink, ...delivery } },
        { name: 't' },
      );
      await broker.post(REQUIRED, 'x');
      await sink.waitFor(calls);
      const lost = expect.stringMatching(
        /^Trigger demo\/t: .* answered \d{3}; it went to the dead-letter sink \(event 1\)$/,
      );
      await saidOf(broker, accepted ? [] : [lost]);
      expect([sink.received.length, last.received.length]).toEqual([calls, accepted ? 0 : 1]);
      expect(sink.received.every(({ body }) => body.toString() === 'x')).toBe(true);
    });

  it('a Broker that says how is obeyed where the Trigger says nothing', async () => {
    const [broker, sink] = [await aBroker({ ...FAST, retry: 1 }), await aSink(503)];
    broker.trigger(sink.url(), {}, { name: 'as-broker' });
    broker.trigger(sink.url('/own'), { delivery: { retry: 0 } }, { name: 'own' });
    await broker.post(REQUIRED);
    await sink.waitFor(3);
    await vi.waitFor(() => expect(broker.losses).toHaveLength(2));
    expect(sink.received.map(({ path }) => path).toSorted()).toEqual(['/', '/', '/own']);
  });

  it('nobody there, and no answer in time', async () => {
    const [broker, silent, gone] = [await aBroker({ retry: 0 }), await aSink(), await goneUrl()];
    silent.answer(() => undefined);
    broker.trigger(gone, {}, { name: 'gone' });
    await broker.post(REQUIRED);
    await saidOf(broker, [`Trigger demo/gone: ${gone} ECONNREFUSED; given up: the event is lost (event 1)`]);
    broker.trigger(silent.url(), { delivery: { retry: 0, timeout: 'PT0.05S' } }, { name: 'silent' });
    await broker.post({ ...REQUIRED, 'ce-id': '2' });
    await vi.waitFor(() =>
      expect(broker.problems).toContain(
        `Trigger demo/silent: ${silent.url()} no answer within 50 ms; given up: the event is lost (event 2)`,
      ),
    );
  });

  it('the first failed attempt is said at once, the end later', async () => {
    const [broker, gone] = [await aBroker({ ...FAST, retry: 2 }), await goneUrl()];
    broker.trigger(gone, {}, { name: 'gone' });
    await broker.post(REQUIRED);
    await vi.waitFor(() => expect(broker.problems).toHaveLength(2));
    expect(broker.problems).toEqual([
      `Trigger demo/gone: ${gone} ECONNREFUSED; tried again up to 2 times (event 1)`,
      `Trigger demo/gone: ${gone} ECONNREFUSED; given up: the event is lost (event 1)`,
    ]);
  });

  it('of a dead-letter sink are said, too', async () => {
    const [broker, sink, gone] = [await aBroker(), await aSink(400), await goneUrl()];
    const delivery = { ...FAST, retry: 1, deadLetterSink: { uri: gone } };
    broker.trigger(sink.url(), { delivery }, { name: 't' });
    await broker.post(REQUIRED);
    await vi.waitFor(() => expect(broker.losses).toHaveLength(1));
    expect(broker.problems[0]).toBe(
      `Trigger demo/t: dead-letter sink: ${gone} ECONNREFUSED; tried again once (event 1)`,
    );
  });

  it('end at stop, and how many events are lost is said', async () => {
    const [broker, sink] = [await aBroker({ retry: 9, backoffDelay: 'PT1H' }), await aSink(503)];
    broker.trigger(sink.url());
    await broker.post(REQUIRED);
    await broker.post({ ...REQUIRED, 'ce-id': '2' });
    await vi.waitFor(() => expect(broker.problems).toHaveLength(2));
    await broker.stop();
    expect(sink.received).toHaveLength(2);
    expect(broker.losses).toEqual(['2 events were not delivered yet and are lost']);
  });

  it('what is on its way at stop arrives, and is not lost', async () => {
    const [broker, sink] = [await aBroker(), await aSink()];
    sink.answer((response) => void setTimeout(() => response.writeHead(202).end(), 50));
    broker.trigger(sink.url());
    await broker.post(REQUIRED);
    await broker.stop();
    expect([sink.received.length, broker.problems]).toEqual([1, []]);
  });
});

describe('what became of an event is one line', () => {
  const told = (broker: TestBroker) => broker.lines.filter(({ type }) => type === 'handed-on' || type === 'unwanted');

  it('that a subscriber took it', async () => {
    const [broker, sink] = [await aBroker(), await aSink()];
    broker.trigger(sink.url('/a'), {}, { name: 'x' });
    await broker.post(REQUIRED);
    const line = { type: 'handed-on', trigger: 'demo/x', url: sink.url('/a'), eventType: 'a.b', id: '1' };
    await vi.waitFor(() => expect(told(broker)).toEqual([line]));
  });

  it('that no Trigger wants it', async () => {
    const broker = await aBroker();
    broker.trigger('http://127.0.0.1:9/', { filter: { attributes: { type: 'other' } } });
    await broker.post(REQUIRED);
    await vi.waitFor(() =>
      expect(told(broker)).toEqual([{ type: 'unwanted', broker: 'demo/default', eventType: 'a.b', id: '1' }]),
    );
  });

  it('the dumper says itself what it gets', async () => {
    const [dumper, sink] = [await aSink(), await aSink()];
    const broker = await TestBroker.start({}, { dumperUrl: dumper.url() });
    stopAfterwards(() => broker.stop());
    broker.trigger(dumper.url('/any'), {}, { name: 'dumper' });
    broker.trigger(sink.url(), {}, { name: 'other' });
    await broker.post(REQUIRED);
    await dumper.waitFor(1);
    await vi.waitFor(() => expect(told(broker)).toHaveLength(1));
    await broker.stop();
    expect(told(broker)).toMatchObject([{ trigger: 'demo/other' }]);
  });
});

it('what fails unexpectedly is said, and ends nothing', async () => {
  const guard = { check: () => assert.fail('out of order') } as unknown as AddressGuard;
  const broker = await TestBroker.start({}, { sinks: { guard, urlOfService: () => undefined } });
  stopAfterwards(() => broker.stop());
  broker.trigger('http://127.0.0.1:9/');
  expect((await broker.post(REQUIRED)).status).toBe(202);
  await vi.waitFor(() => expect(broker.problems).toEqual(['Broker demo/default: event 1: out of order']));
});

describe('dead letters', () => {
  const sent = {
    ...REQUIRED,
    'ce-text': octetsOf('größe'),
    'content-type': 'text/plain',
    'ce-knativeerrorcode': 'old',
  };

  async function deadLetter(status: number, text: string): Promise<Received & { url: string }> {
    const [broker, sink, last] = [await aBroker(), await aSink(), await aSink()];
    sink.answer((response) => void response.writeHead(status).end(text));
    broker.trigger(sink.url('/ä?a=b'), { delivery: { retry: 0, deadLetterSink: { uri: last.url('/last') } } });
    await broker.post(sent, 'data');
    await last.waitFor(1);
    return { ...(last.received[0] as Received), url: sink.url('/ä?a=b') };
  }

  it('are the event, and why it was refused', async () => {
    const { url, path, headers, body } = await deadLetter(400, 'no, thanks');
    expect([path, body.toString()]).toEqual(['/last', 'data']);
    expect(headers).toMatchObject({
      ...sent,
      'ce-knativeerrordest': octetsOf(url),
      'ce-knativeerrorcode': '400',
      'ce-knativeerrordata': Buffer.from('no, thanks').toString('base64'),
      'ce-knativearrivaltime': expect.any(String) as string,
    });
  });

  it('hold at most 1024 characters of the answer', async () => {
    const { headers } = await deadLetter(400, 'x'.repeat(5000));
    expect(Buffer.from(String(headers['ce-knativeerrordata']), 'base64').toString()).toBe('x'.repeat(768));
  });

  it('tell when there was no answer', async () => {
    const [broker, gone, last] = [await aBroker(), await goneUrl(), await aSink()];
    broker.trigger(gone, { delivery: { retry: 0, deadLetterSink: { uri: last.url() } } });
    await broker.post(REQUIRED);
    await last.waitFor(1);
    const headers = last.received[0]?.headers ?? {};
    expect(headers['ce-knativeerrorcode']).toBe('500');
    expect(Buffer.from(String(headers['ce-knativeerrordata']), 'base64').toString()).toBe('ECONNREFUSED');
  });

  const whose: { name: string; own?: string; delivery?: object; path: string }[] = [
    { name: "the Trigger's", delivery: { retry: 0 }, own: '/trigger', path: '/trigger' },
    { name: "the Broker's, where the Trigger says nothing", path: '/broker' },
    { name: "the Broker's, where the Trigger names none", delivery: { retry: 0 }, path: '/broker' },
  ];
  for (const { name, own, delivery, path } of whose)
    it(`go to ${name}`, async () => {
      const last = await aSink();
      const broker = await aBroker({ retry: 0, deadLetterSink: { uri: last.url('/broker') } });
      const sink = await aSink(400);
      const ownSink = own === undefined ? {} : { deadLetterSink: { uri: last.url(own) } };
      broker.trigger(sink.url(), delivery ? { delivery: { ...delivery, ...ownSink } } : {});
      await broker.post(REQUIRED);
      await last.waitFor(1);
      expect(last.received.map((received) => received.path)).toEqual([path]);
    });

  it('that are refused, too, or have nowhere to go: said', async () => {
    const [broker, sink, last] = [await aBroker({ retry: 0 }), await aSink(400), await aSink(500)];
    const ref = { apiVersion: 'v1', kind: 'Service', name: 'nobody' };
    broker.trigger(
      sink.url('/1'),
      { delivery: { retry: 0, deadLetterSink: { uri: last.url() } } },
      { name: 'refused' },
    );
    broker.trigger(sink.url('/2'), { delivery: { retry: 0, deadLetterSink: { ref } } }, { name: 'nowhere' });
    await broker.post(REQUIRED);
    await vi.waitFor(() => expect(broker.losses).toHaveLength(2));
    expect(broker.losses.toSorted()).toEqual([
      `Trigger demo/nowhere: ${sink.url('/2')} answered 400; dead-letter sink: Service demo/nobody (v1) not found: create it, or name another sink; given up: the event is lost (event 1)`,
      `Trigger demo/refused: ${sink.url('/1')} answered 400; dead-letter sink: answered 500; given up: the event is lost (event 1)`,
    ]);
  });
});

describe('replies of subscribers', () => {
  const BINARY_REPLY = {
    ...REQUIRED,
    'ce-id': '2',
    'ce-type': 'reply',
    'ce-text': octetsOf('größe'),
    'content-type': 'text/plain',
  };
  const structured = JSON.stringify({
    ...REQUIRED_MEMBERS,
    id: '2',
    type: 'reply',
    data: 'hi',
    datacontenttype: 'text/plain',
    text: 'größe',
  });

  const large = 'x'.repeat(3 * 1024 * 1024);
  const rows: { name: string; headers: Record<string, string>; body: string; data?: string }[] = [
    { name: 'in binary mode', headers: BINARY_REPLY, body: 'hi' },
    { name: 'of 3 MiB', headers: BINARY_REPLY, body: large, data: large },
    { name: 'in structured mode', headers: { 'content-type': 'application/cloudevents+json' }, body: structured },
  ];
  for (const { name, headers, body, data = 'hi' } of rows)
    it(`${name} go to the Triggers that want them`, async () => {
      const [broker, sink, second] = [await aBroker(), await aSink(), await aSink()];
      sink.answer((response) => void response.writeHead(200, headers).end(Buffer.from(body)));
      broker.trigger(sink.url(), { filter: { attributes: { type: 'a.b' } } });
      broker.trigger(second.url(), { filter: { attributes: { type: 'reply', text: 'größe' } } });
      await broker.post(REQUIRED);
      await second.waitFor(1);
      expect(second.received[0]?.headers).toMatchObject({ ...BINARY_REPLY, 'kn-namespace': 'demo', prefer: 'reply' });
      expect(second.received[0]?.body.toString() === data).toBe(true);
      expect([sink.received.length, broker.problems]).toEqual([1, []]);
    });

  it('that are no event are dropped', async () => {
    const [broker, sink, marker] = [await aBroker(), await aSink(), await aSink()];
    const answers: [headers: Record<string, string>, body: string][] = [
      [{ 'content-type': 'text/plain' }, 'ok'],
      [{ 'content-type': 'application/cloudevents+json' }, '{'],
      [{ 'ce-specversion': '1.0' }, ''],
    ];
    sink.answer(
      (response, _received, index) => void response.writeHead(200, answers[index]?.[0]).end(answers[index]?.[1]),
    );
    broker.trigger(sink.url(), { filter: { attributes: { type: 'a.b' } }, delivery: FAST });
    for (const [index] of answers.entries()) {
      await broker.post(REQUIRED);
      await sink.waitFor(index + 1);
    }
    broker.trigger(marker.url());
    await broker.post({ ...REQUIRED, 'ce-type': 'other' });
    await marker.waitFor(1);
    expect([sink.received.length, marker.received.length, broker.problems]).toEqual([answers.length, 1, []]);
  });

  it('do not wait for other subscribers', async () => {
    const [broker, quick, slow, second] = [await aBroker(), await aSink(), await aSink(), await aSink()];
    quick.answer((response) => void response.writeHead(200, BINARY_REPLY).end());
    slow.answer(() => undefined);
    for (const sink of [quick, slow]) broker.trigger(sink.url(), { filter: { attributes: { type: 'a.b' } } });
    broker.trigger(second.url(), { filter: { attributes: { type: 'reply' } } });
    await broker.post(REQUIRED);
    await second.waitFor(1);
    expect(slow.received).toHaveLength(1);
  });

  const loops: { name: string; subscribers: number }[] = [
    { name: 'a subscriber that replies with what it gets', subscribers: 1 },
    { name: 'three of them, which triple it each time', subscribers: 3 },
  ];
  for (const { name, subscribers } of loops)
    it(`end: ${name}`, async () => {
      const [broker, sink] = [await aBroker(), await aSink()];
      sink.answer((response, { headers }) => {
        const event = Object.entries(headers).filter(([header]) => header.startsWith('ce-'));
        response.writeHead(200, Object.fromEntries(event) as Record<string, string>).end();
      });
      for (let index = 0; index < subscribers; index += 1) broker.trigger(sink.url(`/${index}`));
      await broker.post(REQUIRED);
      const calls = 256 * subscribers;
      await vi.waitFor(() => expect(sink.received).toHaveLength(calls), { timeout: 10_000 });
      await saidOf(broker, [
        expect.stringMatching(/^Broker demo\/default: 255 replies came of one event, more are dropped/),
      ]);
      expect(sink.received).toHaveLength(calls);
    });
});
