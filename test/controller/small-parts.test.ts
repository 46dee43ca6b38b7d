import { describe, expect, it } from 'vitest';
import { AccessTokens } from '../../controller/access-tokens.ts';
import { firstDeliveryPollMs, manualHookOf } from '../../controller/manual-hook.ts';
import { secretTokensOf } from '../../controller/resources/route.ts';

describe('AccessTokens', () => {
  it('gives a token for its source and its API alone, until it is forgotten', () => {
    const tokens = new AccessTokens();
    tokens.remember('a', 'https://one', 't1');
    tokens.remember('a', 'https://two', 't2');
    tokens.remember('a', 'https://one', 't3');
    expect([
      tokens.find('a', 'https://one'),
      tokens.find('a', 'https://two'),
      tokens.find('a', 'https://three'),
      tokens.find('b', 'https://one'),
    ]).toEqual(['t3', 't2', undefined, undefined]);
    tokens.forget('a');
    expect(tokens.find('a', 'https://one')).toBeUndefined();
  });
});

describe('manualHookOf', () => {
  const since = '2026-01-01T00:00:00.000Z';
  const wanted = { webhookURL: 'http://x/hooks/1', secretVersion: '1', routeGeneration: 4 };
  const waiting = { ...wanted, since };
  const now = new Date('2026-01-02T00:00:00Z');
  const seen = { time: '2026-01-01T00:00:00.000Z', secretToken: 0, generation: 4 };

  const rows: { name: string; seen: typeof seen; counts: boolean }[] = [
    { name: 'with the present secret, in time', seen, counts: true },
    { name: 'under a later route', seen: { ...seen, generation: 9 }, counts: true },
    { name: 'with a secret it replaced', seen: { ...seen, secretToken: 1 }, counts: false },
    { name: 'of before', seen: { ...seen, time: '2025-12-31T23:59:59.999Z' }, counts: false },
    { name: 'judged by an earlier route', seen: { ...seen, generation: 3 }, counts: false },
  ];
  for (const { name, seen: lastAuthentic, counts } of rows) {
    it(`a delivery ${name}: ${counts}`, () => {
      const hook = manualHookOf(waiting, { ...wanted, routeGeneration: 9 }, [{ generation: 9, lastAuthentic }], now);
      expect(hook).toEqual(counts ? { ...waiting, firstDelivery: lastAuthentic.time } : waiting);
    });
  }

  it('another URL or secret is waited for anew; the same stays seen', () => {
    const found = { ...waiting, firstDelivery: since };
    expect(manualHookOf(found, wanted, [], now)).toBe(found);
    for (const change of [{ webhookURL: 'http://y/hooks/1' }, { secretVersion: '2' }]) {
      expect(manualHookOf(found, { ...wanted, ...change }, [], now)).toEqual({
        ...wanted,
        ...change,
        since: now.toISOString(),
      });
    }
  });
});

describe('firstDeliveryPollMs', () => {
  const since = '2026-01-01T00:00:00.000Z';
  const rows: { waited: string; now: string; ms: number }[] = [
    { waited: 'not at all', now: since, ms: 1000 },
    { waited: 'a minute', now: '2026-01-01T00:01:00Z', ms: 1000 },
    { waited: 'ten minutes', now: '2026-01-01T00:10:00Z', ms: 10_000 },
    { waited: 'half an hour', now: '2026-01-01T00:30:00Z', ms: 30_000 },
    { waited: 'a year', now: '2027-01-01T00:00:00Z', ms: 30_000 },
    { waited: 'less than nothing, by a clock that was set back', now: '2025-12-31T00:00:00Z', ms: 1000 },
  ];
  for (const { waited, now, ms } of rows) {
    it(`waited ${waited}: ${ms} ms`, () => {
      expect(firstDeliveryPollMs(since, new Date(now), { leastMs: 1000, longestMs: 30_000 })).toBe(ms);
    });
  }
});

describe('secretTokensOf', () => {
  const now = new Date('2026-01-01T12:00:00Z');
  const rotation = { confirmed: true, overlapMs: 3_600_000, now };
  const tokens = (published: Parameters<typeof secretTokensOf>[1], confirmed = true) =>
    secretTokensOf({ value: 'new', version: '9' }, published, { ...rotation, confirmed });

  it('gives those it replaced an end once, and lets them go at their end', () => {
    const until = '2026-01-01T13:00:00.000Z';
    expect(tokens([{ value: 'old', version: '1' }])).toEqual([
      { value: 'new', version: '9' },
      { value: 'old', version: '1', validUntil: until },
    ]);
    expect(tokens([{ value: 'old', validUntil: '2026-01-01T12:00:01Z' }])[1]?.validUntil).toBe('2026-01-01T12:00:01Z');
    expect(tokens([{ value: 'old', validUntil: '2026-01-01T12:00:00Z' }])).toHaveLength(1);
    expect(tokens([{ value: 'old' }], false)[1]?.validUntil).toBeUndefined();
  });

  it('a value that is there keeps the version it was first read at; one that comes back has no end', () => {
    expect(tokens([{ value: 'new', version: '1', validUntil: '2026-01-01T12:30:00Z' }])).toEqual([
      { value: 'new', version: '1' },
    ]);
  });
});
