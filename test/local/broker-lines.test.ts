import assert from 'node:assert/strict';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AddressGuard } from '../../core/address-guard.ts';
import { CHANNEL } from '../../local/kinds.ts';
import { aSink, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestBroker } from '../support/test-broker.ts';
import { REQUIRED, REQUIRED_MEMBERS } from '../support/test-dumper.ts';

afterEach(stopParts);

async function aBroker(): Promise<TestBroker> {
  const broker = await TestBroker.start();
  stopAfterwards(() => broker.stop());
  return broker;
}

describe('what became of an event is one line', () => {
  const told = (broker: TestBroker) => broker.lines.filter(({ type }) => type === 'handed-on' || type === 'unwanted');

  it('that a subscriber took it', async () => {
    const [broker, sink] = [await aBroker(), await aSink()];
    broker.trigger(sink.url('/a'), {}, { name: 'x' });
    await broker.post(REQUIRED);
    const line = { type: 'handed-on', by: 'Trigger demo/x', url: sink.url('/a'), eventType: 'a.b', id: '1' };
    await vi.waitFor(() => expect(told(broker)).toEqual([line]));
  });

  it('that no Trigger wants it', async () => {
    const broker = await aBroker();
    broker.trigger('http://127.0.0.1:9/', { filter: { attributes: { type: 'other' } } });
    await broker.post(REQUIRED);
    await vi.waitFor(() =>
      expect(told(broker)).toEqual([{ type: 'unwanted', hub: 'Broker demo/default', eventType: 'a.b', id: '1' }]),
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
    expect(told(broker)).toMatchObject([{ by: 'Trigger demo/other' }]);
  });
});

describe('what was seen', () => {
  it('is told by hub, type and source, with who wanted it', async () => {
    const [broker, sink] = [await aBroker(), await aSink()];
    const seen = () => broker.eventTypes;
    broker.apply(CHANNEL, 'c', {});
    broker.trigger(sink.url(), { filter: { attributes: { type: 'a.b' } } }, { name: 'x' });
    await broker.post(REQUIRED);
    broker.trigger(sink.url(), { filter: { attributes: { subject: 's' } } }, { name: 'y' });
    await broker.post({ ...REQUIRED, 'ce-subject': 's' });
    await broker.post({ ...REQUIRED, 'ce-type': 'other' });
    await broker.post({ ...REQUIRED, 'ce-source': '/other' });
    await broker.post(REQUIRED, '', '/channels/demo/c');
    await broker.post({}, '');
    const [hub, source] = ['Broker demo/default', REQUIRED['ce-source']];
    expect(seen()).toEqual([
      { hub, eventType: 'a.b', source, events: 2, wantedBy: ['Trigger demo/x', 'Trigger demo/y'] },
      { hub, eventType: 'other', source, events: 1, wantedBy: [] },
      { hub, eventType: 'a.b', source: '/other', events: 1, wantedBy: ['Trigger demo/x'] },
      { hub: 'Channel demo/c', eventType: 'a.b', source, events: 1, wantedBy: [] },
    ]);
  });

  it('has an end, though types have none', async () => {
    const broker = await aBroker();
    const headers = { 'content-type': 'application/cloudevents-batch+json' };
    const batch = Array.from({ length: 1100 }, (_, type) => ({ ...REQUIRED_MEMBERS, type: `t${type}` }));
    await broker.post(headers, JSON.stringify([...batch, { ...REQUIRED_MEMBERS, type: 't0' }]));
    expect(broker.eventTypes).toHaveLength(1000);
    expect(broker.eventTypes[0]).toMatchObject({ eventType: 't0', events: 2 });
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
