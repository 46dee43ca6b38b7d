import { describe, expect, it } from 'vitest';
import { deliveryPolicyOf, retryAfterMs } from '../../core/delivery-policy.ts';

describe('the delivery policy', () => {
  const waits = (spec: Parameters<typeof deliveryPolicyOf>[0]) => [0, 1, 2].map(deliveryPolicyOf(spec).backoffMs);
  it('has defaults for each field left out', () => {
    expect(deliveryPolicyOf({})).toMatchObject({ retries: 3, attemptTimeoutMs: undefined, retryAfterMaxMs: undefined });
    expect(waits({})).toEqual([200, 400, 800]);
    expect(deliveryPolicyOf({ timeout: 'PT5S' })).toMatchObject({ retries: 3, attemptTimeoutMs: 5000 });
  });
  it('counts as Knative does, from 0', () => {
    expect(waits({ backoffPolicy: 'linear', backoffDelay: 'PT1S' })).toEqual([0, 1000, 2000]);
    expect(waits({ backoffPolicy: 'exponential', backoffDelay: 'PT1S' })).toEqual([1000, 2000, 4000]);
  });
  it('does not retry when told so', () => expect(deliveryPolicyOf({ retry: 0 }).retries).toBe(0));

  const now = Date.parse('2026-01-01T00:00:00Z');
  const rows: [string | undefined, number][] = [
    ['3', 3000],
    [' 3 ', 3000],
    ['Thu, 01 Jan 2026 00:00:05 GMT', 5000],
    ['Wed, 31 Dec 2025 23:00:00 GMT', 0],
    ['soon', 0],
    ['-3', 0],
    [undefined, 0],
  ];
  for (const [header, ms] of rows)
    it(`reads Retry-After ${header}: ${ms} ms`, () => expect(retryAfterMs(header, now)).toBe(ms));
});
