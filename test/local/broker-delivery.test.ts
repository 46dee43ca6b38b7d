import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeSink, type Received } from '../support/fake-sink.ts';
import { aSink, FAST, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestBroker } from '../support/test-broker.ts';
import { octetsOf, REQUIRED } from '../support/test-dumper.ts';

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
