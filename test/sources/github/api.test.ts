import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AddressGuard } from '../../../core/address-guard.ts';
import type { Claim, DesiredHook, HookAccess, WebhookApi } from '../../../sources/contract.ts';
import { SimulatedGitHub } from '../../../sources/github/simulated-api.ts';
import { webhookApi } from '../../../sources/github/webhook.ts';
import { anApi, sendJson } from '../../support/an-api.ts';
import { egress } from '../../support/egress.ts';

const PATH = '/hooks/0a1b2c3d';
const isOurs: Claim = ({ url }) => url.endsWith(PATH);
const desired: DesiredHook = { url: `https://hooks.example.com${PATH}`, eventTypes: ['push'], secret: 's3cret' };
let webhook: WebhookApi;
let github: SimulatedGitHub;
let access: HookAccess;

beforeEach(async () => {
  webhook = webhookApi(egress(), () => new Date());
  github = new SimulatedGitHub();
  access = { api: await github.start(), repository: 'octo/hello', token: 'good' };
});
afterEach(() => github.stop());

const listOf = (api: string, allowLoopback = true) =>
  webhookApi(egress({ allowLoopback }), () => new Date()).observe({ ...access, api }, isOurs);

describe('an address that is not called', () => {
  const rows: { name: string; host: string; allowLoopback: boolean; group: string }[] = [
    { name: 'link-local', host: '169.254.169.254', allowLoopback: true, group: '169.254.169.254 is a link-local' },
    { name: 'link-local, written as IPv6', host: '[fe80::1]', allowLoopback: true, group: 'fe80::1 is a link-local' },
    { name: 'link-local, mapped', host: '[::ffff:169.254.1.1]', allowLoopback: true, group: 'is a link-local' },
    { name: 'unspecified, which is this machine', host: '0.0.0.0', allowLoopback: true, group: '0.0.0.0 is an unspec' },
    { name: 'unspecified, as a number', host: '0', allowLoopback: true, group: '0.0.0.0 is an unspec' },
    { name: 'loopback', host: '127.0.0.1', allowLoopback: false, group: '127.0.0.1 is a loopback address' },
    { name: 'a name of loopback', host: 'localhost', allowLoopback: false, group: 'is a loopback address' },
  ];
  for (const { name, host, allowLoopback, group } of rows) {
    it(`${name}: said so, and no connection made`, async () => {
      const api = await anApi((_request, reply) => sendJson(reply, []));
      const listing = listOf(`http://${host}:${new URL(api.url).port}`, allowLoopback);
      const error = { name: 'RemoteApiError', trouble: 'invalid', message: expect.stringContaining(group) };
      await expect(listing).rejects.toMatchObject(error);
      expect(api.calls).toEqual([]);
    });
  }

  it('loopback is called where it is allowed, by its name too', async () => {
    const api = await anApi((_request, reply) => sendJson(reply, []));
    expect(await listOf(api.url)).toEqual([]);
    expect(await listOf(api.url.replace('127.0.0.1', 'localhost'))).toEqual([]);
  });

  it('is judged by what the name resolves to when connecting', async () => {
    const api = await anApi((_request, reply) => sendJson(reply, []));
    const moving = egress();
    // As if the name had moved since somebody looked.
    Object.assign(moving.guard, {
      lookup: ((_name, _options, callback) => {
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      }) satisfies AddressGuard['lookup'],
    });
    const moved = `http://github.example.com:${new URL(api.url).port}`;
    expect(await webhookApi(moving, () => new Date()).observe({ ...access, api: moved }, isOurs)).toEqual([]);
  });
});

describe('an answer of more than 8 MiB', () => {
  const MIB = 1024 * 1024;
  const list = (length: number) => `[${' '.repeat(length - 2)}]`;
  const sendForever = (reply: ServerResponse) => {
    const more = () => {
      while (reply.write(Buffer.alloc(MIB, ' ')));
      reply.once('drain', more);
    };
    more();
  };
  const answers: { name: string; send: (reply: ServerResponse) => void }[] = [
    { name: 'by one byte', send: (reply) => reply.end(list(8 * MIB + 1)) },
    { name: 'that never ends', send: sendForever },
    {
      name: 'unpacked',
      send: (reply) => reply.setHeader('content-encoding', 'gzip').end(gzipSync(list(64 * MIB))),
    },
    { name: 'beside a failure', send: (reply) => reply.writeHead(500).end(list(9 * MIB)) },
  ];
  for (const { name, send } of answers) {
    it(`${name}: refused, and not read on`, async () => {
      const api = await anApi((_request, reply) => send(reply.setHeader('content-type', 'application/json')));
      const error = { trouble: 'invalid', message: expect.stringContaining('larger than 8 MiB') };
      await expect(listOf(api.url)).rejects.toMatchObject(error);
    });
  }

  it('of just as much is read', async () => {
    const api = await anApi((_request, reply) =>
      reply.setHeader('content-type', 'application/json').end(list(8 * MIB)),
    );
    expect(await listOf(api.url)).toEqual([]);
  });
});

describe('trouble', () => {
  const rows: { status: number; headers?: Record<string, string>; error: object }[] = [
    { status: 401, error: { trouble: 'unauthorized', message: expect.stringContaining('401 Bad credentials') } },
    { status: 403, error: { trouble: 'forbidden', retryAfterMs: undefined } },
    { status: 403, headers: { 'retry-after': '7' }, error: { trouble: 'rate-limited', retryAfterMs: 7000 } },
    { status: 403, headers: { 'x-ratelimit-remaining': '0' }, error: { trouble: 'rate-limited' } },
    { status: 429, error: { trouble: 'rate-limited' } },
    { status: 404, error: { trouble: 'not-found' } },
    { status: 422, error: { trouble: 'invalid' } },
    { status: 500, error: { trouble: 'failing', status: 500 } },
    { status: 503, error: { trouble: 'failing', status: 503 } },
  ];
  for (const { status, headers = {}, error } of rows) {
    it(`${status} ${JSON.stringify(headers)}: said at once, in one call`, async () => {
      github.refuse(status, /./, headers);
      await expect(webhook.observe(access, isOurs)).rejects.toMatchObject({ name: 'RemoteApiError', ...error });
      expect(github.calls).toHaveLength(1);
    });
  }

  const inAMinute = 60_000;
  const inAnHour = expect.toSatisfy((ms: number) => ms > 3_000_000 && ms <= 3_600_000);
  const secondary =
    'https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits';
  const now = Math.floor(Date.now() / 1000);
  const limits: { name: string; status?: number; headers?: Record<string, string>; url?: string; wait: unknown }[] = [
    { name: 'Retry-After as given', headers: { 'retry-after': '3' }, wait: 3000 },
    {
      name: 'Retry-After before all else',
      headers: { 'retry-after': '90', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now + 3600) },
      wait: 90_000,
    },
    {
      name: 'the end of an empty quota',
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now + 3600) },
      wait: inAnHour,
    },
    {
      name: 'a minute where the quota ends before',
      headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(now + 5) },
      wait: inAMinute,
    },
    { name: 'a minute where nothing is said of its end', headers: { 'x-ratelimit-remaining': '0' }, wait: inAMinute },
    {
      name: 'a minute while there is quota left',
      status: 429,
      headers: { 'x-ratelimit-remaining': '4711', 'x-ratelimit-reset': String(now + 3600) },
      wait: inAMinute,
    },
    {
      name: 'a minute for a secondary limit, told by its documentation alone',
      headers: { 'x-ratelimit-remaining': '4711', 'x-ratelimit-reset': String(now + 3600) },
      url: secondary,
      wait: inAMinute,
    },
    {
      name: 'a minute for one without headers',
      url: 'https://ghe.example.com/rest#secondary-rate-limits',
      wait: inAMinute,
    },
    { name: 'a minute where nothing is said', status: 429, wait: inAMinute },
  ];
  for (const { name, status = 403, headers, url, wait } of limits) {
    it(`a rate limit: ${name}`, async () => {
      const body = { message: 'You have exceeded a limit', ...(url && { documentation_url: url }) };
      const api = await anApi((_request, reply) => sendJson(reply, body, status, headers));
      const error = { trouble: 'rate-limited', status, retryAfterMs: wait };
      await expect(webhook.observe({ ...access, api: api.url }, isOurs)).rejects.toMatchObject(error);
    });
  }

  it('of the list names it without its query', async () => {
    github.refuse(404);
    await expect(webhook.observe(access, isOurs)).rejects.toThrow('GET /repos/octo/hello/hooks: 404 Not Found');
  });

  it('a wrong token', async () => {
    const wrong = webhook.create({ ...access, token: 'bad-token' }, desired, isOurs);
    await expect(wrong).rejects.toMatchObject({
      trouble: 'unauthorized',
      message: expect.not.stringContaining('bad-token'),
    });
  });

  it('nobody there', async () => {
    await github.stop();
    await expect(webhook.observe(access, isOurs)).rejects.toMatchObject({ trouble: 'unreachable', status: undefined });
  });
});
