import { Registry } from 'prom-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { ProviderMetrics } from '../../controller/provider-metrics.ts';
import type { ProviderCall, Quota } from '../../sources/contract.ts';

let now: Date;
let registry: Registry;
let metrics: ProviderMetrics;
beforeEach(() => {
  now = new Date('2026-01-01T00:00:00Z');
  registry = new Registry();
  metrics = new ProviderMetrics(registry, () => now);
});

const quotaOf = (tokenDigest: string, remaining: number, limit = 5000): Quota => ({
  tokenDigest,
  remaining,
  limit,
  resetAt: new Date('2026-01-01T01:00:00Z'),
});
function call(quota?: Quota, api = 'https://api.example.com', result: ProviderCall['result'] = 'ok') {
  metrics.called('GitHubSource', { api, method: 'GET', result, seconds: 0.2, quota });
}
const linesOf = async (name: string) =>
  (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));

describe('calls to providers', () => {
  it('are counted by kind, method and result, and timed where they were sent', async () => {
    call();
    call();
    call(undefined, undefined, 'not-sent');
    expect(await linesOf('headwater_provider_requests_total')).toEqual([
      'headwater_provider_requests_total{kind="GitHubSource",method="GET",result="ok"} 2',
      'headwater_provider_requests_total{kind="GitHubSource",method="GET",result="not-sent"} 1',
    ]);
    expect(await linesOf('headwater_provider_request_duration_seconds_count')).toEqual([
      'headwater_provider_request_duration_seconds_count{kind="GitHubSource",method="GET"} 2',
    ]);
  });
});

describe('the quota left', () => {
  const remaining = () => linesOf('headwater_provider_quota_remaining');

  it('is that of the token with the smallest part left, as it was last', async () => {
    call(quotaOf('one', 10));
    call(quotaOf('one', 3000));
    call(quotaOf('two', 4000, 15_000));
    expect(await remaining()).toEqual([
      'headwater_provider_quota_remaining{kind="GitHubSource",api="api.example.com"} 4000',
    ]);
    expect(await linesOf('headwater_provider_quota_limit')).toEqual([
      'headwater_provider_quota_limit{kind="GitHubSource",api="api.example.com"} 15000',
    ]);
  });

  it('is of each API, and is not told once its hour is over', async () => {
    call(quotaOf('one', 10));
    call(quotaOf('one', 20), 'https://git.example.com/api/v3');
    expect(await remaining()).toHaveLength(2);
    now = new Date('2026-01-01T01:00:00Z');
    expect(await remaining()).toEqual([]);
  });

  it('has no more labels than a few, whatever APIs specs name', async () => {
    for (let number = 0; number < 100; number += 1) call(quotaOf('one', number), `https://${number}.example.com`);
    const lines = await remaining();
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('headwater_provider_quota_remaining{kind="GitHubSource",api="others"} 20');
  });
});
