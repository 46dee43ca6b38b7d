import { createHash, createSecretKey } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Deduplication } from '../../adapter/deduplication.ts';
import type { ReceiveOutcome } from '../../adapter/outcome.ts';
import { digestOf } from '../../core/body-digest.ts';
import { aRoute } from '../support/builders.ts';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { TestAdapter } from '../support/test-adapter.ts';

const KEPT: ReceiveOutcome = { kind: 'kept', attempts: 1 };
const FAILED: ReceiveOutcome = { kind: 'undelivered', attempts: 1, detail: 'x' };

function anArrival(id: string, text = 'body', uid = 'a', key = createSecretKey('s', 'utf8')) {
  const body = Buffer.from(text);
  return { uid, id, body, digest: digestOf(body, key) };
}

describe('over the wire', () => {
  let sink: FakeSink;
  let adapter: TestAdapter;
  beforeEach(async () => {
    sink = await FakeSink.start();
    const route = { sink: { url: sink.url() }, delivery: { retry: 0 } };
    adapter = await TestAdapter.start([aRoute(route), aRoute({ ...route, uid: 'other', name: 'other' })]);
  });
  afterEach(async () => {
    await adapter.stop();
    await sink.close();
  });

  it('a second arrival under way waits for the first, and is a duplicate when that is kept', async () => {
    let release: () => void = () => undefined;
    sink.answer((response) => {
      release = () => void response.writeHead(202).end();
    });
    const delivery = aDelivery({ id: 'one' });
    const replies = [post(adapter, delivery), post(adapter, delivery), post(adapter, delivery)];
    await sink.waitFor(1);
    release();
    expect((await Promise.all(replies)).map(({ text }) => text.split(':')[0]?.trim()).toSorted()).toEqual([
      'duplicate',
      'duplicate',
      'kept',
    ]);
    expect(sink.received).toHaveLength(1);
  });

  it('a source that is removed and made again begins anew', async () => {
    const delivery = aDelivery({ id: 'one' });
    expect((await post(adapter, delivery)).text).toBe('kept\n');
    await rm(join(adapter.folder, '0a1b2c3d.json'));
    await expect.poll(() => adapter.stateOf('0a1b2c3d')).toBeUndefined();
    await adapter.write(aRoute({ sink: { url: sink.url() } }));
    await expect.poll(() => adapter.stateOf('0a1b2c3d')).toBeDefined();
    expect((await post(adapter, delivery)).text).toBe('kept\n');
  });

  it('a failure leaves no trace: the redelivery is sent', async () => {
    sink.answerWith(500, 202);
    const delivery = aDelivery({ id: 'one' });
    expect((await post(adapter, delivery)).status).toBe(503);
    expect((await post(adapter, delivery)).text).toBe('kept\n');
    expect(sink.received).toHaveLength(2);
  });

  it('the same id with another body is delivered and counted; each body is known after that', async () => {
    const first = aDelivery({ id: 'one', payload: { a: 1 } });
    const second = aDelivery({ id: 'one', payload: { a: 2 } });
    const texts = [];
    for (const delivery of [first, second, first, second]) texts.push((await post(adapter, delivery)).text.slice(0, 4));
    expect(texts).toEqual(['kept', 'kept', 'dupl', 'dupl']);
    expect((await adapter.stateOf('0a1b2c3d'))?.conflicts).toBe(1);
    expect(await (await adapter.internal('/metrics')).text()).toContain(
      'headwater_conflicts_total{source="demo/hello"} 1',
    );
  });

  it('the same body under a new id is another event', async () => {
    await post(adapter, aDelivery({ id: 'one' }));
    expect((await post(adapter, aDelivery({ id: 'two' }))).text).toBe('kept\n');
  });

  it('sources know nothing of each other', async () => {
    const delivery = aDelivery({ id: 'one' });
    expect((await post(adapter, delivery)).text).toBe('kept\n');
    expect((await post(adapter, delivery, 'other')).text).toBe('kept\n');
  });

  it('a redelivery signed with the next secret is still a duplicate', async () => {
    expect((await post(adapter, aDelivery({ id: 'one' }))).text).toBe('kept\n');
    await adapter.write(aRoute({ generation: 2, sink: { url: sink.url() }, secretTokens: [{ value: 'next' }] }));
    await expect.poll(async () => (await adapter.stateOf('0a1b2c3d'))?.generation).toBe(2);
    expect((await post(adapter, aDelivery({ id: 'one', secret: 'next' }))).text).toMatch(/^duplicate/);
    expect((await adapter.stateOf('0a1b2c3d'))?.conflicts).toBe(0);
  });
});

describe('a second arrival of a delivery under way', () => {
  for (const end of [KEPT, FAILED]) {
    it(`waits for the first, and when that is ${end.kind} is told so`, async () => {
      const known = new Deduplication({ perSource: 3, inAll: 100 });
      const order: string[] = [];
      let finish: (outcome: ReceiveOutcome) => void = () => undefined;
      const first = known.once(anArrival('1'), () => new Promise((resolve) => (finish = resolve)));
      const second = known.once(anArrival('1'), () => Promise.reject(new Error('delivered twice')));
      const both = [first, second].map((one) => one.then(({ outcome }) => order.push(outcome.kind)));
      await new Promise(setImmediate);
      order.push('end');
      finish(end);
      await Promise.all(both);
      expect(order).toEqual(['end', end.kind, end.kind === 'kept' ? 'duplicate' : end.kind]);
    });
  }
});

it('attempts are counted for the first arrival alone', async () => {
  const known = new Deduplication({ perSource: 3, inAll: 100 });
  let finish: (outcome: ReceiveOutcome) => void = () => undefined;
  const first = known.once(anArrival('1'), () => new Promise((resolve) => (finish = resolve)));
  const second = known.once(anArrival('1'), () => Promise.reject(new Error('delivered twice')));
  finish({ kind: 'undelivered', attempts: 4, detail: 'x' });
  const outcomes = (await Promise.all([first, second])).map(({ outcome }) => outcome);
  expect(outcomes).toEqual([
    { kind: 'undelivered', attempts: 4, detail: 'x' },
    { kind: 'undelivered', attempts: 0, detail: 'x' },
  ]);
});

describe('memory', () => {
  const once = (known: Deduplication, id: string, uid = 'a', outcome: ReceiveOutcome = KEPT) =>
    known.once(anArrival(id, 'body', uid), () => Promise.resolve(outcome)).then((result) => result.outcome.kind);

  it('holds at most so many ids of a source, and at least the newest half of that', async () => {
    const known = new Deduplication({ perSource: 10, inAll: 100 });
    for (let index = 1; index <= 100; index += 1) {
      expect(await once(known, String(index))).toBe('kept');
      expect(known.size).toBeLessThanOrEqual(10);
    }
    for (let index = 96; index <= 100; index += 1) expect(await once(known, String(index))).toBe('duplicate');
    expect(await once(known, '90')).toBe('kept');
  });

  it('holds a few bodies of one id', async () => {
    const known = new Deduplication({ perSource: 10, inAll: 100 });
    const ends = [];
    for (let index = 0; index < 20; index += 1) {
      const { outcome, conflict } = await known.once(anArrival('1', `body ${index}`), () => Promise.resolve(KEPT));
      ends.push(`${outcome.kind} ${conflict}`);
    }
    expect(new Set(ends.slice(1))).toEqual(new Set(['kept true']));
    expect((await known.once(anArrival('1', 'body 19'), () => Promise.resolve(KEPT))).outcome.kind).toBe('duplicate');
    expect((await known.once(anArrival('1', 'body 0'), () => Promise.resolve(KEPT))).outcome.kind).toBe('kept');
  });

  it('holds so many in all, at the cost of the source with most', async () => {
    const known = new Deduplication({ perSource: 100, inAll: 10 });
    await once(known, 'quiet', 'b');
    for (let index = 0; index < 50; index += 1) await once(known, String(index));
    expect(known.size).toBeLessThanOrEqual(10);
    expect([await once(known, 'quiet', 'b'), await once(known, '49')]).toEqual(['duplicate', 'duplicate']);
  });

  it('holds nothing of what failed or was thrown', async () => {
    const known = new Deduplication({ perSource: 3, inAll: 100 });
    await once(known, '1', 'a', FAILED);
    await expect(known.once(anArrival('2'), () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(known.size).toBe(0);
  });

  it('forgets a source that is gone, also while one of its deliveries is under way', async () => {
    const known = new Deduplication({ perSource: 3, inAll: 100 });
    let finish: (outcome: ReceiveOutcome) => void = () => undefined;
    const underWay = known.once(anArrival('1'), () => new Promise((resolve) => (finish = resolve)));
    await once(known, '2');
    known.forget('a');
    finish(KEPT);
    expect((await underWay).outcome.kind).toBe('kept');
    expect(known.size).toBe(0);
    expect(await once(known, '2')).toBe('kept');
  });

  it('knows an id over 128 characters by its digest', async () => {
    const known = new Deduplication({ perSource: 10, inAll: 100 });
    const digest = (id: string) => createHash('sha256').update(id).digest('hex');
    const [longest, tooLong] = ['x'.repeat(128), 'x'.repeat(129)];
    expect([await once(known, longest), await once(known, digest(longest))]).toEqual(['kept', 'kept']);
    expect([await once(known, tooLong), await once(known, digest(tooLong))]).toEqual(['kept', 'duplicate']);
  });

  it('keeps long ids short and apart', async () => {
    const known = new Deduplication({ perSource: 3, inAll: 100 });
    const long = 'x'.repeat(10_000);
    expect([await once(known, long), await once(known, `${long}y`), await once(known, long)]).toEqual([
      'kept',
      'kept',
      'duplicate',
    ]);
  });
});
