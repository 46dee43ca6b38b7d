import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ProviderCall } from '../../../sources/contract.ts';
import { webhookApi } from '../../../sources/github/webhook.ts';
import { anApi, sendJson } from '../../support/an-api.ts';
import { egress } from '../../support/egress.ts';

const RESET = Math.floor(Date.now() / 1000) + 1800;
const QUOTA = { 'x-ratelimit-remaining': '4321', 'x-ratelimit-limit': '5000', 'x-ratelimit-reset': String(RESET) };

/** What is told of a list of webhooks that an API answers with `status`. */
async function toldOf(status: number, headers: Record<string, string> = {}) {
  const { url } = await anApi((_request, reply) => sendJson(reply, status < 300 ? [] : {}, status, headers));
  return toldOfCallTo(url);
}

async function toldOfCallTo(api: string, times = 1) {
  const told: ProviderCall[] = [];
  const webhooks = webhookApi(
    egress(),
    () => new Date(),
    (call) => void told.push(call),
  );
  for (let time = 0; time < times; time += 1)
    await webhooks.observe({ api, repository: 'octo/hello', token: 'secret-token' }, () => true).catch(() => undefined);
  return told;
}

describe('a call to GitHub is told of', () => {
  const rows: { name: string; status: number; headers?: Record<string, string>; result: ProviderCall['result'] }[] = [
    { name: 'done', status: 200, result: 'ok' },
    { name: 'refused', status: 403, result: 'forbidden' },
    { name: 'rate-limited', status: 429, headers: { 'retry-after': '60' }, result: 'rate-limited' },
    { name: 'failed', status: 502, result: 'failing' },
    { name: 'redirected elsewhere', status: 302, headers: { location: 'https://example.com/' }, result: 'invalid' },
  ];
  it.each(rows)('$name', async ({ status, headers, result }) => {
    const told = await toldOf(status, { ...QUOTA, ...headers });
    expect(told).toEqual([
      {
        api: expect.stringMatching(/^http:/),
        method: 'GET',
        result,
        seconds: expect.any(Number),
        quota: {
          tokenDigest: createHash('sha256').update('secret-token').digest('base64'),
          remaining: 4321,
          limit: 5000,
          resetAt: new Date(RESET * 1000),
        },
      },
    ]);
    expect(JSON.stringify(told)).not.toContain('secret-token');
  });

  it('answered as unchanged', async () => {
    const { url } = await anApi((request, reply) =>
      sendJson(reply, [], request.headers['if-none-match'] ? 304 : 200, { etag: '"1"' }),
    );
    expect((await toldOfCallTo(url, 2)).map(({ result }) => result)).toEqual(['ok', 'unchanged']);
  });

  it('not answered', async () => {
    const told = await toldOfCallTo('http://127.0.0.1:1');
    expect(told).toMatchObject([{ result: 'unreachable', quota: undefined }]);
  });

  it('not sent, as GitHub asked to wait', async () => {
    const { url } = await anApi((_request, reply) => sendJson(reply, {}, 429, { 'retry-after': '60' }));
    expect((await toldOfCallTo(url, 2)).map(({ result }) => result)).toEqual(['rate-limited', 'not-sent']);
  });
});

describe('the quota', () => {
  const rows = [
    { name: 'is none where the server has no limits', headers: {} },
    { name: 'is none where it is no number', headers: { ...QUOTA, 'x-ratelimit-limit': 'many' } },
    { name: 'is none where its end is not said', headers: { ...QUOTA, 'x-ratelimit-reset': '' } },
  ];
  it.each(rows)('$name', async ({ headers }) =>
    expect(await toldOf(200, headers)).toMatchObject([{ quota: undefined }]),
  );

  it('lasts an hour at most', async () => {
    const [call] = await toldOf(200, { ...QUOTA, 'x-ratelimit-reset': '99999999999' });
    expect(call?.quota?.resetAt.getTime()).toBeLessThanOrEqual(Date.now() + 3_600_000);
  });
});
