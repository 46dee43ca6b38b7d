import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Claim, HookAccess, WebhookApi } from '../../../sources/contract.ts';
import { SimulatedGitHub } from '../../../sources/github/simulated-api.ts';
import { webhookApi } from '../../../sources/github/webhook.ts';
import { anApi, sendJson } from '../../support/an-api.ts';
import { egress } from '../../support/egress.ts';

const everyone: Claim = () => true;
const EVER = new Date(0);
const MINUTE = 60_000;
let now: Date;
let webhook: WebhookApi;
let github: SimulatedGitHub;
let access: HookAccess;
let statuses: number[];

beforeEach(async () => {
  now = new Date('2026-01-01T00:00:00Z');
  statuses = [];
  webhook = webhookApi(egress(), () => now);
  github = new SimulatedGitHub({ onExchange: ({ status }) => void statuses.push(status) });
  access = { api: await github.start(), repository: 'octo/hello', token: 'good' };
});
afterEach(() => github.stop());

const later = (ms: number) => void (now = new Date(now.getTime() + ms));
const desired = (host = 'hooks') => ({ url: `https://${host}.example.com/`, eventTypes: ['push'], secret: 's3cret' });
const lastMinutes = (minutes: number) => new Date(now.getTime() - minutes * MINUTE);
const idsOf = async (since?: Date, own = access) =>
  (await webhook.observe(own, everyone, since)).map(({ id }) => Number(id));

/** By hand, without a call. */
function make(count: number): void {
  for (let made = 0; made < count; made += 1) {
    const config = { url: 'https://x.example.com/', content_type: 'json', insecure_ssl: '0', secret: '' };
    const id = 1 + github.hooks.length;
    github.hooks.push({ id, repository: 'octo/hello', active: true, events: ['push'], config, updatedAt: now });
  }
}

describe('the list of a repository', () => {
  it('is asked for once by all who want it at one time, and by all who will take it afterwards', async () => {
    make(1);
    const lists = await Promise.all([EVER, EVER, EVER].map((since) => idsOf(since)));
    later(5 * MINUTE);
    expect([...lists, await idsOf(lastMinutes(5))]).toEqual([[1], [1], [1], [1]]);
    expect(statuses).toEqual([200]);
  });

  it('is asked for again when it is too old, which costs nothing where it did not change', async () => {
    make(1);
    await idsOf(EVER);
    later(5 * MINUTE + 1);
    expect(await idsOf(lastMinutes(5))).toEqual([1]);
    later(5 * MINUTE);
    expect(await idsOf(lastMinutes(5))).toEqual([1]);
    expect([statuses, github.quotaUsed]).toEqual([[200, 304], 1]);
  });

  it('is asked for now, unless an older one will do', async () => {
    make(1);
    await Promise.all([idsOf(), idsOf()]);
    make(1);
    expect([await idsOf(), await idsOf()]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(statuses).toEqual([200, 200, 200, 304]);
  });

  it('is not taken for a new one by a clock that was set back', async () => {
    await idsOf(EVER);
    make(1);
    later(-60 * MINUTE);
    expect(await idsOf(lastMinutes(5))).toEqual([1]);
  });

  const same: { name: string; one: string; other: string }[] = [
    { name: 'in other letters', one: 'octo/hello', other: 'Octo/HELLO' },
    { name: 'with a slash at its end', one: 'octo', other: 'octo/' },
  ];
  for (const { name, one, other } of same) {
    it(`named ${name} is the same`, async () => {
      await idsOf(EVER, { ...access, repository: one });
      await idsOf(EVER, { ...access, repository: other });
      expect(statuses).toEqual([200]);
    });
  }

  const others: { name: string; other: () => Partial<HookAccess> }[] = [
    { name: 'access token', other: () => ({ token: 'other' }) },
    { name: 'repository', other: () => ({ repository: 'octo/hello2' }) },
    { name: 'API', other: () => ({ api: access.api.replace('127.0.0.1', 'localhost') }) },
  ];
  for (const { name, other } of others) {
    it(`of another ${name} is another`, async () => {
      await idsOf(EVER);
      await idsOf(EVER, { ...access, ...other() });
      expect(statuses).toEqual([200, 200]);
    });
  }
});

describe('a list of several pages', () => {
  const changes: { name: string; before: number; change: () => void; calls: number[]; length: number }[] = [
    { name: 'nothing changed', before: 234, change: () => undefined, calls: [304, 304, 304], length: 234 },
    { name: 'the last changed', before: 234, change: () => make(1), calls: [304, 304, 200], length: 235 },
    {
      name: 'one in the middle changed',
      before: 234,
      change: () => github.hooks.slice(150, 151).forEach((hook) => hook.events.push('star')),
      calls: [304, 200, 304],
      length: 234,
    },
    { name: 'one came after a full one', before: 200, change: () => make(1), calls: [304, 200, 200], length: 201 },
    {
      name: 'the last became empty',
      before: 201,
      change: () => github.hooks.pop(),
      calls: [304, 304, 200],
      length: 200,
    },
    { name: 'all went', before: 201, change: () => github.hooks.splice(0), calls: [200], length: 0 },
  ];
  for (const { name, before, change, calls, length } of changes) {
    it(`${name}: seen`, async () => {
      make(before);
      await idsOf();
      statuses.length = 0;
      change();
      expect(await idsOf()).toHaveLength(length);
      expect(statuses).toEqual(calls);
    });
  }

  it('"not modified" may name another next page', async () => {
    let pages = 1;
    const api = await anApi((request, reply) => {
      const isFirst = !request.url?.includes('page=2');
      const link = `<http://${request.headers.host}/orgs/octo/hooks?page=2>; rel="next"`;
      const headers = { etag: '"1"', ...(isFirst && pages === 2 && { link }) };
      if (request.headers['if-none-match'] === '"1"') reply.writeHead(304, headers).end();
      else sendJson(reply, [], 200, headers);
    });
    const own = { ...access, api: api.url, repository: 'octo' };
    await idsOf(undefined, own);
    pages = 2;
    await idsOf(undefined, own);
    expect(api.calls.map((call) => call.includes('page=2'))).toEqual([false, false, true]);
  });
});

describe('after a write, however it ended', () => {
  const writes: { name: string; write: (id: string) => Promise<unknown> }[] = [
    { name: 'a creation', write: () => webhook.create(access, desired('new'), everyone) },
    { name: 'a creation that found one', write: () => webhook.create(access, desired(), everyone) },
    { name: 'a change', write: (id) => webhook.update(access, id, desired('new')) },
    { name: 'a removal', write: (id) => webhook.remove(access, id) },
    { name: 'one refused', write: () => webhook.update(access, '999', desired()) },
    {
      name: 'one whose answer is lost',
      write: (id) => {
        github.loseAnswers(/^DELETE/);
        return webhook.remove(access, id);
      },
    },
  ];
  for (const { name, write } of writes) {
    it(`${name}: the list is asked for again, with any token`, async () => {
      const { id } = await webhook.create(access, desired(), everyone);
      const other = { ...access, token: 'other' };
      await Promise.all([idsOf(EVER), idsOf(EVER, other)]);
      await write(id).catch(() => undefined);
      const there = github.hooks.map((hook) => hook.id);
      statuses.length = 0;
      expect([await idsOf(EVER), await idsOf(EVER, other)]).toEqual([there, there]);
      expect(statuses).toHaveLength(2);
    });
  }

  it('a list of another repository stays', async () => {
    const other = { ...access, repository: 'octo/other' };
    await idsOf(EVER, other);
    await webhook.create(access, desired(), everyone);
    await idsOf(EVER, other);
    expect(statuses).toEqual([200, 201]);
  });

  it('a list that was asked for before and comes later is not used', async () => {
    const waiting: ServerResponse[] = [];
    const hook = { id: 1, active: true, events: ['push'], config: { url: desired().url } };
    const api = await anApi((request, reply) => {
      if (request.method === 'DELETE') reply.writeHead(204).end();
      else waiting.push(reply);
    });
    const own = { ...access, api: api.url };
    const arrived = (count: number) => vi.waitFor(() => expect(waiting).toHaveLength(count), { interval: 5 });
    const before = idsOf(EVER, own);
    await arrived(1);
    await webhook.remove(own, '1');
    const after = idsOf(EVER, own);
    await arrived(2);
    sendJson(waiting[1] as ServerResponse, []);
    expect(await after).toEqual([]);
    sendJson(waiting[0] as ServerResponse, [hook]);
    expect(await before).toEqual([1]);
    expect(await idsOf(EVER, own)).toEqual([]);
  });
});

describe('a list that cannot be read', () => {
  const conditions: (string | undefined)[] = [];
  const answering = async (status: () => number) => {
    conditions.length = 0;
    const api = await anApi((request, reply) => {
      conditions.push(request.headers['if-none-match']);
      const headers = { etag: 'W/"1"', ...(status() === 429 && { 'retry-after': '0.01' }) };
      sendJson(reply, status() === 200 ? [] : { message: 'no' }, status(), headers);
    });
    return { ...access, api: api.url };
  };

  const troubles: { status: number; next: string | undefined }[] = [
    { status: 401, next: undefined },
    { status: 403, next: undefined },
    { status: 404, next: undefined },
    { status: 429, next: 'W/"1"' },
    { status: 500, next: 'W/"1"' },
  ];
  for (const { status, next } of troubles) {
    it(`${status}: said to all who waited, tried again by the next, ${next ? 'with' : 'without'} its ETag`, async () => {
      let answer = 200;
      const own = await answering(() => answer);
      await idsOf(undefined, own);
      answer = status;
      later(1);
      const waiting = [lastMinutes(0), lastMinutes(0)].map((since) => idsOf(since, own));
      expect(await Promise.allSettled(waiting)).toMatchObject([{ reason: { status } }, { reason: { status } }]);
      answer = 200;
      await vi.waitFor(async () => expect(await idsOf(EVER, own)).toEqual([]), { interval: 5 });
      expect(conditions).toEqual([undefined, 'W/"1"', next]);
    });
  }

  it('because nothing was asked that could be "not modified"', async () => {
    const own = await answering(() => 304);
    await expect(idsOf(undefined, own)).rejects.toMatchObject({
      name: 'RemoteApiError',
      trouble: 'invalid',
      status: 304,
    });
  });

  it('is forgotten when nobody wanted it for an hour', async () => {
    const own = await answering(() => 200);
    for (let call = 1; call <= 4; call += 1) {
      await idsOf(undefined, own);
      later(60 * MINUTE - 1);
    }
    later(1);
    await idsOf(undefined, { ...own, repository: 'octo/other' });
    await idsOf(undefined, own);
    expect(conditions).toEqual([undefined, 'W/"1"', 'W/"1"', 'W/"1"', undefined, undefined]);
  });
});
