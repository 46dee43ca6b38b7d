import { afterEach, describe, expect, it, vi } from 'vitest';
import { aSink, FAST, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestBroker } from '../support/test-broker.ts';
import { octetsOf, REQUIRED, REQUIRED_MEMBERS } from '../support/test-dumper.ts';

afterEach(stopParts);

async function aBroker(): Promise<TestBroker> {
  const broker = await TestBroker.start();
  stopAfterwards(() => broker.stop());
  return broker;
}

const saidOf = (broker: TestBroker, problems: unknown[]) =>
  vi.waitFor(() => expect(broker.losses).toEqual(problems), { timeout: 5000 });

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
