import { afterEach, describe, expect, it, vi } from 'vitest';
import { BROKER, CHANNEL, IN_MEMORY_CHANNEL, SUBSCRIPTION } from '../../local/kinds.ts';
import type { FakeSink } from '../support/fake-sink.ts';
import { aSink, FAST, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestBroker } from '../support/test-broker.ts';
import { octetsOf, REQUIRED } from '../support/test-dumper.ts';

afterEach(stopParts);

const PATH = '/channels/demo/c';

/** With the Channel `demo/c`. */
async function aChannel(spec: object = {}): Promise<TestBroker> {
  const broker = await TestBroker.start();
  stopAfterwards(() => broker.stop());
  broker.apply(CHANNEL, 'c', spec);
  return broker;
}

const subscribe = (broker: TestBroker, sink: FakeSink | string, spec: object = {}, name = 's', kind = CHANNEL) =>
  broker.apply(SUBSCRIPTION, name, {
    channel: { ...kind, name: 'c' },
    subscriber: { uri: typeof sink === 'string' ? sink : sink.url() },
    ...spec,
  });

const REPLY = { ...REQUIRED, 'ce-id': '2', 'ce-type': 'reply', 'content-type': 'text/plain' };
const replying = async (headers: Record<string, string> = REPLY) => {
  const sink = await aSink();
  sink.answer((response) => void response.writeHead(200, headers).end('hi'));
  return sink;
};

describe('a Channel', () => {
  it('hands every event to each of its Subscriptions, as it came', async () => {
    const [channel, one, other] = [await aChannel(), await aSink(), await aSink()];
    subscribe(channel, one, {}, 'one');
    subscribe(channel, other, {}, 'other');
    const sent = { ...REQUIRED, 'ce-text': octetsOf('größe'), 'content-type': 'text/x', traceparent: '00-1-2-01' };
    expect((await channel.post({ ...sent, 'x-other': 'no', prefer: 'none' }, 'data', PATH)).status).toBe(202);
    for (const sink of [one, other]) {
      await sink.waitFor(1);
      const { headers, body } = sink.received[0] ?? {};
      expect(headers).toMatchObject({ ...sent, 'kn-namespace': 'demo', prefer: 'reply' });
      expect(headers).not.toHaveProperty('x-other');
      // That is what brokers add.
      expect(headers).not.toHaveProperty('ce-knativearrivaltime');
      expect(body?.toString()).toBe('data');
    }
    expect(channel.problems).toEqual([]);
  });

  const own: { name: string; namespace?: string; channel: object }[] = [
    { name: 'another Channel', channel: { ...CHANNEL, name: 'd' } },
    { name: 'an InMemoryChannel of its name', channel: { ...IN_MEMORY_CHANNEL, name: 'c' } },
    { name: 'one of another namespace', namespace: 'default', channel: { ...CHANNEL, name: 'c' } },
  ];
  for (const { name, namespace, channel: ofOther } of own)
    it(`gives nothing to Subscriptions of ${name}, and says so`, async () => {
      const [channel, sink] = [await aChannel(), await aSink()];
      channel.apply(SUBSCRIPTION, 's', { channel: ofOther, subscriber: { uri: sink.url() } }, namespace);
      await channel.post(REQUIRED, '', PATH);
      await vi.waitFor(() =>
        expect(channel.lines).toEqual([{ type: 'unwanted', hub: 'Channel demo/c', eventType: 'a.b', id: '1' }]),
      );
      expect(sink.received).toEqual([]);
    });

  it('that is an InMemoryChannel is at a place of its own', async () => {
    const [channel, sink] = [await aChannel(), await aSink()];
    channel.apply(IN_MEMORY_CHANNEL, 'c', {});
    subscribe(channel, sink, {}, 's', IN_MEMORY_CHANNEL);
    expect((await channel.post(REQUIRED, '', '/inmemorychannels/demo/c')).status).toBe(202);
    await sink.waitFor(1);
  });

  const refused: { name: string; headers: Record<string, string>; path: string; status: number; text: string }[] = [
    { name: 'no such Channel', headers: REQUIRED, path: '/channels/demo/d', status: 404, text: 'no Channel demo/d' },
    { name: 'no event', headers: {}, path: PATH, status: 400, text: '' },
  ];
  for (const { name, headers, path, status, text } of refused)
    it(`${name}: ${status}`, async () => {
      const reply = await (await aChannel()).post(headers, '', path);
      expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(text)]);
    });
});

describe('what fails', () => {
  const rows: { name: string; channel?: object; subscription?: object; calls: number }[] = [
    { name: 'is tried once where nobody says how often', calls: 1 },
    { name: 'as often as the Subscription says', subscription: { ...FAST, retry: 2 }, calls: 3 },
    { name: 'as often as the Channel says', channel: { ...FAST, retry: 1 }, calls: 2 },
    {
      name: 'not as the Channel says where the Subscription does',
      channel: { ...FAST, retry: 3 },
      subscription: {},
      calls: 1,
    },
  ];
  for (const { name, channel: ofChannel, subscription, calls } of rows)
    it(name, async () => {
      const [channel, sink, last] = [await aChannel(), await aSink(503), await aSink()];
      const deadLetterSink = { uri: last.url() };
      channel.apply(CHANNEL, 'c', { delivery: { deadLetterSink, ...ofChannel } });
      subscribe(channel, sink, subscription ? { delivery: subscription } : {});
      await channel.post(REQUIRED, 'x', PATH);
      await last.waitFor(1);
      expect(sink.received).toHaveLength(calls);
      const { headers = {}, body } = last.received[0] ?? {};
      expect(headers).toMatchObject({
        ...REQUIRED,
        'ce-knativeerrordest': sink.url(),
        'ce-knativeerrorcode': '503',
        'kn-namespace': 'demo',
      });
      // A dead-letter sink is asked for no reply.
      expect(headers).not.toHaveProperty('prefer');
      expect(body?.toString()).toBe('x');
      const said = `Subscription demo/s: ${sink.url()} answered 503; it went to the dead-letter sink (event 1)`;
      await vi.waitFor(() => expect(channel.losses).toEqual([said]));
    });
});

describe('replies of subscribers', () => {
  it('go to where the Subscription says', async () => {
    const [channel, sink, target] = [await aChannel(), await replying(), await aSink()];
    subscribe(channel, sink, { reply: { uri: target.url('/replies') } });
    await channel.post(REQUIRED, '', PATH);
    await target.waitFor(1);
    const { path, headers, body } = target.received[0] ?? {};
    expect([path, body?.toString()]).toEqual(['/replies', 'hi']);
    expect(headers).toMatchObject({ ...REPLY, 'kn-namespace': 'demo' });
    expect(headers).not.toHaveProperty('prefer');
  });

  it('go nowhere where it says nothing', async () => {
    const [channel, sink] = [await aChannel(), await replying()];
    subscribe(channel, sink);
    await channel.post(REQUIRED, '', PATH);
    await vi.waitFor(() => expect(channel.lines).toHaveLength(1));
    await channel.stop();
    expect([sink.received.length, channel.lines]).toMatchObject([
      1,
      [{ type: 'handed-on', by: 'Subscription demo/s' }],
    ]);
  });

  const hubs = [
    { name: 'a Broker', reply: { ref: { ...BROKER, name: 'default' } }, arrives: true },
    { name: 'another Channel', reply: { ref: { ...CHANNEL, name: 'd' } }, arrives: false },
  ];
  for (const { name, reply, arrives } of hubs)
    it(`go on from ${name}`, async () => {
      const [channel, sink, target] = [await aChannel(), await replying(), await aSink()];
      channel.apply(CHANNEL, 'd', {});
      channel.apply(SUBSCRIPTION, 'd', { channel: { ...CHANNEL, name: 'd' }, subscriber: { uri: target.url() } });
      channel.trigger(target.url());
      subscribe(channel, sink, { reply });
      await channel.post(REQUIRED, '', PATH);
      await target.waitFor(1);
      expect('ce-knativearrivaltime' in (target.received[0]?.headers ?? {})).toBe(arrives);
      expect(target.received[0]?.headers).toMatchObject({ ...REPLY, prefer: 'reply' });
      expect(channel.problems).toEqual([]);
    });

  it('that are refused make the event itself a dead letter', async () => {
    const [channel, sink, target, last] = [await aChannel(), await replying(), await aSink(500), await aSink()];
    const delivery = { ...FAST, retry: 1, deadLetterSink: { uri: last.url() } };
    subscribe(channel, sink, { reply: { uri: target.url() }, delivery });
    await channel.post(REQUIRED, 'x', PATH);
    await last.waitFor(1);
    expect([sink.received.length, target.received.length]).toEqual([1, 2]);
    expect(last.received[0]?.body.toString()).toBe('x');
    expect(last.received[0]?.headers).toMatchObject({
      ...REQUIRED,
      'ce-knativeerrordest': target.url(),
      'ce-knativeerrorcode': '500',
    });
    const fault = `Subscription demo/s: reply: ${target.url()} answered 500`;
    await vi.waitFor(() =>
      expect(channel.problems).toEqual([
        `${fault}; tried again once (event 1)`,
        `${fault}; it went to the dead-letter sink (event 1)`,
      ]),
    );
  });

  it('to what is not there are said to be lost', async () => {
    const [channel, sink] = [await aChannel(), await replying()];
    subscribe(channel, sink, { reply: { ref: { ...CHANNEL, name: 'gone' } } });
    await channel.post(REQUIRED, '', PATH);
    await vi.waitFor(() =>
      expect(channel.losses).toEqual([
        expect.stringMatching(/^Subscription demo\/s: reply: Channel demo\/gone \(.*\) not found: create it, .* lost/),
      ]),
    );
  });

  it('end: two Channels that reply to each other', async () => {
    const [channel, sink] = [await aChannel(), await replying()];
    channel.apply(CHANNEL, 'd', {});
    subscribe(channel, sink, { reply: { ref: { ...CHANNEL, name: 'd' } } });
    const back = { reply: { ref: { ...CHANNEL, name: 'c' } }, subscriber: { uri: sink.url() } };
    channel.apply(SUBSCRIPTION, 'back', { channel: { ...CHANNEL, name: 'd' }, ...back });
    await channel.post(REQUIRED, '', PATH);
    await vi.waitFor(() => expect(channel.losses).toHaveLength(1), { timeout: 10_000 });
    expect(channel.losses[0]).toMatch(/^Channel demo\/[cd]: 255 replies came of one event, more are dropped/);
    expect(sink.received).toHaveLength(256);
  });
});
