import { afterEach, describe, expect, it } from 'vitest';
import { SimulatedGitHub, type SimulatedGitHubOptions } from '../../../sources/github/simulated-api.ts';

let now = new Date('2026-11-26T12:00:00Z');
const later = (ms: number) => void (now = new Date(now.getTime() + ms));
let github: SimulatedGitHub | undefined;
afterEach(() => github?.stop());

async function start(limits: SimulatedGitHubOptions['limits']) {
  github = new SimulatedGitHub({ now: () => now, ...(limits !== undefined && { limits }) });
  const base = await github.start();
  return async (method: string, body?: object, headers: Record<string, string> = {}) => {
    const reply = await fetch(`${base}/repos/octo/hello/hooks`, {
      method,
      headers: { authorization: 'token t', 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const { message } = (await reply.json().catch(() => ({}))) as { message?: string };
    const { status } = reply;
    const said = Object.fromEntries(reply.headers);
    return { status, message, remaining: said['x-ratelimit-remaining'], retryAfter: said['retry-after'], said };
  };
}

const hook = (name: string) => ({ name: 'web', config: { url: `https://hooks.example.com/${name}` } });

describe("the simulator's rate limits", () => {
  it('refuse calls beyond those of an hour, and no longer when it is over', async () => {
    const call = await start({ calls: 2, hourMs: 60_000 });
    expect(await call('GET')).toMatchObject({ status: 200, remaining: '1' });
    const { said } = await call('GET');
    expect(said).toMatchObject({ 'x-ratelimit-limit': '2', 'x-ratelimit-remaining': '0', 'x-ratelimit-used': '2' });
    expect(Number(said['x-ratelimit-reset'])).toBe(now.getTime() / 1000 + 60);
    expect(await call('GET')).toMatchObject({
      status: 403,
      message: expect.stringContaining('API rate limit exceeded'),
      remaining: '0',
    });
    later(60_000);
    expect(await call('GET')).toMatchObject({ status: 200, remaining: '1' });
  });

  it('count no call that found nothing changed', async () => {
    const call = await start({ calls: 2 });
    const { said } = await call('GET');
    const again = () => call('GET', undefined, { 'if-none-match': said['etag'] ?? '' });
    expect(await again()).toMatchObject({ status: 304, remaining: '1' });
    expect(await again()).toMatchObject({ status: 304, remaining: '1' });
  });

  it('refuse webhooks beyond those of an hour, and say when there is room again', async () => {
    const call = await start({ creations: 1, hourMs: 60_000 });
    expect(await call('POST', hook('one'))).toMatchObject({ status: 201 });
    later(20_000);
    expect(await call('POST', hook('two'))).toMatchObject({
      status: 429,
      message: expect.stringContaining('secondary rate limit'),
      retryAfter: '40',
      remaining: '4998',
    });
    expect(github?.hooks).toHaveLength(1);
    later(40_000);
    expect(await call('POST', hook('two'))).toMatchObject({ status: 201 });
  });

  it('can be off, and are not spoken of then', async () => {
    const call = await start(null);
    for (const name of Array.from({ length: 501 }, (_, index) => String(index)))
      expect(await call('POST', hook(name))).toMatchObject({ status: 201, remaining: undefined });
  });
});
