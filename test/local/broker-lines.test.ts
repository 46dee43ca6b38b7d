import assert from 'node:assert/strict';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AddressGuard } from '../../core/address-guard.ts';
import { aSink, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestBroker } from '../support/test-broker.ts';
import { REQUIRED } from '../support/test-dumper.ts';

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

it('what fails unexpectedly is said, and ends nothing', async () => {
  const guard = { check: () => assert.fail('out of order') } as unknown as AddressGuard;
  const broker = await TestBroker.start({}, { sinks: { guard, urlOfService: () => undefined } });
  stopAfterwards(() => broker.stop());
  broker.trigger('http://127.0.0.1:9/');
  expect((await broker.post(REQUIRED)).status).toBe(202);
  await vi.waitFor(() => expect(broker.problems).toEqual(['Broker demo/default: event 1: out of order']));
});
