import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { HookAccess, WebhookApi } from '../../../sources/contract.ts';
import { Pauses } from '../../../sources/github/pauses.ts';
import { webhookApi } from '../../../sources/github/webhook.ts';
import { anApi, sendJson } from '../../support/an-api.ts';
import { egress } from '../../support/egress.ts';

const token = { api: 'https://api.github.com', token: 'one' };

describe('a pause', () => {
  let now: number;
  let pauses: Pauses;
  beforeEach(() => {
    now = 1000;
    pauses = new Pauses(() => now);
  });

  it('lasts as long as was asked', () => {
    expect(pauses.left(token)).toBe(0);
    pauses.begin(token, 500);
    now += 499;
    expect(pauses.left(token)).toBe(1);
    now += 2;
    expect(pauses.left(token)).toBe(0);
  });

  it('is of one token for one API', () => {
    pauses.begin(token, 500);
    expect(pauses.left({ ...token, token: 'two' })).toBe(0);
    expect(pauses.left({ ...token, api: 'https://ghe.example.com/api/v3' })).toBe(0);
  });

  it('is not cut short by a shorter one, nor by the end of another', () => {
    pauses.begin({ ...token, token: 'two' }, 100);
    pauses.begin(token, 500);
    now += 200;
    pauses.begin(token, 10);
    expect(pauses.left(token)).toBe(300);
  });
});

describe('an answer that asks to wait', () => {
  const inAnHour = String(Math.floor(Date.now() / 1000) + 3600);
  const quota = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': inAnHour };
  let webhook: WebhookApi;
  beforeEach(() => void (webhook = webhookApi(egress(), () => new Date())));

  const answering = async (status: number, headers: Record<string, string>) => {
    const api = await anApi((_request, reply) => sendJson(reply, status === 200 ? [] : {}, status, headers));
    return { calls: api.calls, access: { api: api.url, repository: 'octo/hello', token: 'one' } };
  };
  const list = (access: HookAccess) => webhook.observe(access, () => true);

  const rows: { name: string; status: number; headers: Record<string, string>; atMost: number; atLeast: number }[] = [
    { name: 'a refusal', status: 429, headers: { 'retry-after': '90' }, atMost: 90_000, atLeast: 80_000 },
    { name: 'the last call of the quota', status: 200, headers: quota, atMost: 3_600_000, atLeast: 3_500_000 },
    {
      name: 'a failure, the last call of the quota',
      status: 404,
      headers: quota,
      atMost: 3_600_000,
      atLeast: 3_500_000,
    },
  ];
  for (const { name, status, headers, atMost, atLeast } of rows) {
    it(`${name}: no other call is made with the token, for whatever repository`, async () => {
      const { calls, access } = await answering(status, headers);
      await list(access).catch(() => undefined);
      for (const call of [list({ ...access, repository: 'octo' }), webhook.remove(access, '1')]) {
        const error: unknown = await call.catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ trouble: 'rate-limited', status: undefined });
        const { retryAfterMs } = error as { retryAfterMs: number };
        expect([retryAfterMs <= atMost, retryAfterMs > atLeast]).toEqual([true, true]);
      }
      expect(calls).toHaveLength(1);
      await list({ ...access, token: 'two' }).catch(() => undefined);
      expect(calls).toHaveLength(2);
    });
  }

  it('is obeyed no longer than it says', async () => {
    const { calls, access } = await answering(429, { 'retry-after': '1' });
    await list(access).catch(() => undefined);
    await vi.waitFor(() => expect(list(access)).rejects.toMatchObject({ status: 429 }), {
      timeout: 3000,
      interval: 50,
    });
    expect(calls).toHaveLength(2);
  });

  it('asks for an hour at most', async () => {
    const forever = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '99999999999' };
    const { access } = await answering(429, forever);
    await expect(list(access)).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    const other = await answering(429, { 'retry-after': '99999999' });
    await expect(list(other.access)).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
  });
});
