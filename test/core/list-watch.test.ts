import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ListWatch, type ListWatchTimings } from '../../core/list-watch.ts';
import { FakeApi, type Fault, type Thing } from '../support/fake-api.ts';

const FAST: Partial<ListWatchTimings> = { pageSize: 3, pageMs: 20, silenceMs: 20, firstRetryMs: 1, longestRetryMs: 4 };

/** A list-watch of the fake server, and what it was told, kept by somebody who has nothing else to go by. */
function follow(api: FakeApi, timings: Partial<ListWatchTimings> = {}) {
  const told = new Map<string, Thing>();
  const log: string[] = [];
  const failures: string[] = [];
  const listWatch = new ListWatch<Thing>({
    transport: api,
    onChange: (thing) => {
      log.push(`${thing.metadata.name}=${thing.value}`);
      told.set(thing.metadata.name, thing);
    },
    onGone: ({ metadata: { name } }) => {
      log.push(`${name}=gone`);
      told.delete(name);
    },
    onFailure: (error) => void failures.push(String(error)),
    timings: { ...FAST, ...timings },
  });
  listWatch.start();
  return { listWatch, told, log, failures };
}

const settled = (check: () => void) => vi.waitFor(check, { timeout: 3000, interval: 2 });
const sorted = (things: Iterable<Thing>) =>
  [...things].toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));

let api: FakeApi;
let followed: ReturnType<typeof follow> | undefined;
beforeEach(() => void (api = new FakeApi()));
afterEach(() => followed?.listWatch.stop());

describe('ListWatch', () => {
  it('reads a list in pages, then follows', async () => {
    for (let value = 0; value < 7; value += 1) api.put(`n${value}`, value);
    followed = follow(api);
    await settled(() => expect(followed?.log).toHaveLength(7));
    expect(api.lists).toEqual([undefined, '4@8', '1@8']);
    expect(followed.listWatch.isComplete).toBe(true);
    api.put('n3', 33);
    api.delete('n4');
    api.put('new', 1);
    await settled(() => expect(followed?.log.slice(7)).toEqual(['n3=33', 'n4=gone', 'new=1']));
    expect(api.lists).toHaveLength(3);
    expect(followed.listWatch.get('n3')?.value).toBe(33);
    expect(followed.listWatch.all()).toHaveLength(7);
  });

  const faults: { fault: Fault; lists: number; failures: number }[] = [
    { fault: 'end', lists: 1, failures: 0 },
    { fault: 'duplicate', lists: 1, failures: 0 },
    { fault: 'slow', lists: 1, failures: 0 },
    { fault: 'gone', lists: 2, failures: 0 },
    { fault: 'reset', lists: 2, failures: 1 },
    { fault: 'error', lists: 2, failures: 1 },
    { fault: 'half-open', lists: 2, failures: 1 },
  ];
  for (const { fault, lists, failures } of faults) {
    it(`${fault}: misses nothing, and lists ${lists} times`, async () => {
      api.put('a', 1);
      followed = follow(api);
      await settled(() => expect(api.watches).toBe(1));
      api.faults.push(fault);
      api.put('b', 2);
      await settled(() => expect(api.faults).toEqual([]));
      api.delete('a');
      api.put('b', 3);
      await settled(() => expect(sorted(followed?.told.values() ?? []).map(({ value }) => value)).toEqual([3]));
      expect(api.lists).toHaveLength(lists);
      expect(followed.failures).toHaveLength(failures);
      expect(new Set(followed.log).size).toBe(followed.log.length);
    });
  }

  it('tells what went while nobody looked', async () => {
    api.put('a', 1);
    api.put('b', 1);
    followed = follow(api);
    await settled(() => expect(followed?.log).toHaveLength(2));
    api.faults.push('reset', 'error', 'error');
    api.delete('a');
    api.put('b', 2);
    await settled(() => expect(followed?.log.slice(2)).toEqual(['a=gone', 'b=2']));
  });

  it('begins a list anew when its pages are too old, and is not complete meanwhile', async () => {
    for (let value = 0; value < 4; value += 1) api.put(`n${value}`, value);
    api.faults.push('slow', 'gone');
    followed = follow(api);
    expect(followed.listWatch.isComplete).toBe(false);
    await settled(() => expect(followed?.told.size).toBe(4));
    expect(followed.failures).toEqual(['ApiStatusError: list: 410 the continue token is too old']);
  });

  it('keeps what it knows while the server is away, and asks more and more seldom', async () => {
    api.put('a', 1);
    followed = follow(api, { firstRetryMs: 2, longestRetryMs: 16 });
    await settled(() => expect(api.watches).toBe(1));
    api.faults.push(...Array.from({ length: 12 }, (): Fault => 'reset'));
    api.put('a', 2);
    const startedAt = performance.now();
    await settled(() => expect(followed?.told.get('a')?.value).toBe(2));
    expect(performance.now() - startedAt).toBeGreaterThan(60);
    expect(followed.log).toEqual(['a=1', 'a=2']);
  });

  it('does not ask fast for lists that are always outdated', async () => {
    api.isForgetful = true;
    followed = follow(api, { firstRetryMs: 20, longestRetryMs: 20 });
    const from = performance.now();
    await settled(() => expect(performance.now() - from).toBeGreaterThan(200));
    expect(api.lists.length).toBeGreaterThan(4);
    expect(api.lists.length).toBeLessThan(30);
  });

  it('stops', async () => {
    followed = follow(api);
    await settled(() => expect(api.watches).toBe(1));
    await followed.listWatch.stop();
    api.put('late', 1);
    expect(followed.log).toEqual([]);
    expect(followed.failures).toEqual([]);
  });

  it('ends with what the server has, whatever happens in between', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ put: name, value: fc.nat(99) }) },
      { weight: 2, arbitrary: fc.record({ remove: name }) },
      { weight: 1, arbitrary: fc.constant({ compact: true }) },
      {
        weight: 3,
        arbitrary: fc.record({
          fault: fc.constantFrom<Fault>('reset', 'half-open', 'gone', 'error', 'slow', 'duplicate', 'end'),
        }),
      },
      { weight: 2, arbitrary: fc.constant({ pause: true }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const server = new FakeApi();
        const run = follow(server, { pageMs: 6, silenceMs: 6 });
        for (const one of steps) {
          if ('put' in one) server.put(one.put, one.value);
          else if ('remove' in one) server.delete(one.remove);
          else if ('fault' in one) server.faults.push(one.fault);
          else if ('compact' in one) server.compact();
          else await new Promise((resolve) => setImmediate(resolve));
        }
        server.faults.length = 0;
        try {
          await settled(() => expect(sorted(run.told.values())).toEqual(sorted(server.all)));
          expect(sorted(run.listWatch.all())).toEqual(sorted(server.all));
        } finally {
          await run.listWatch.stop();
        }
      }),
      { numRuns: 150 },
    );
  });
});
