import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Claim, DesiredHook, HookAccess } from '../../../sources/contract.ts';
import { SimulatedGitHub } from '../../../sources/github/simulated-api.ts';
import { webhookApi } from '../../../sources/github/webhook.ts';
import { anApi, sendJson } from '../../support/an-api.ts';
import { egress } from '../../support/egress.ts';

const webhook = webhookApi(egress(), () => new Date());
const PATH = '/hooks/0a1b2c3d';
const isOurs: Claim = ({ url }) => url.endsWith(PATH);
const desired: DesiredHook = {
  url: `https://hooks.example.com${PATH}`,
  eventTypes: ['push', 'issues'],
  secret: 's3cret',
};
let github: SimulatedGitHub;
let access: HookAccess;

beforeEach(async () => {
  github = new SimulatedGitHub();
  access = { api: await github.start(), repository: 'octo/hello', token: 'good' };
});
afterEach(() => github.stop());

const others = (count: number, host = 'other') =>
  Array.from({ length: count }, (_, index) =>
    webhook.create(access, { ...desired, url: `https://${host}.example.com/hooks/${index}` }, isOurs),
  );

describe.each([
  ['a repository', 'octo/hello', '/repos/octo/hello/hooks'],
  ['an organization', 'octo', '/orgs/octo/hooks'],
  ['an organization with a slash', 'octo/', '/orgs/octo/hooks'],
])('of %s', (_name, repository, path) => {
  it('is made with what is desired, found again, and as desired', async () => {
    const own = { ...access, repository };
    const made = await webhook.create(own, desired, isOurs);
    expect(github.hooks).toEqual([
      expect.objectContaining({
        active: true,
        events: ['push', 'issues'],
        config: { url: desired.url, content_type: 'json', insecure_ssl: '0', secret: 's3cret' },
      }),
    ]);
    expect(github.calls[0]).toBe(`POST ${path}`);
    const [found] = await webhook.observe(own, isOurs);
    expect(found?.id).toBe(made.id);
    expect(found?.isAsDesired(desired)).toBe(true);
  });
});

describe('observe', () => {
  it('passes over others', async () => {
    await webhook.create(access, { ...desired, url: `https://x.example.com${PATH}/more` }, isOurs);
    expect(await webhook.observe(access, isOurs)).toEqual([]);
  });

  it('finds all of them, on every page, in the order of the API', async () => {
    const made = [];
    for (const host of ['old', 'hooks', 'new']) {
      made.push(await webhook.create(access, { ...desired, url: `https://${host}.example.com${PATH}` }, isOurs));
      await Promise.all(others(99, host));
    }
    const found = await webhook.observe(access, isOurs);
    expect(found.map(({ id, url }) => ({ id, url }))).toEqual(made.map(({ id, url }) => ({ id, url })));
    expect(found.map((hook) => hook.isAsDesired(desired))).toEqual([false, true, false]);
  });

  it('looks at every page', async () => {
    await Promise.all(others(234));
    const { id } = await webhook.create(access, desired, isOurs);
    github.calls.length = 0;
    expect((await webhook.observe(access, isOurs))[0]?.id).toBe(id);
    expect(github.calls).toHaveLength(3);
  });

  const drifts: { name: string; hook: Partial<DesiredHook> }[] = [
    { name: 'another URL', hook: { url: `http://hooks.example.com${PATH}` } },
    { name: 'an event more', hook: { eventTypes: ['push', 'issues', 'star'] } },
    { name: 'an event less', hook: { eventTypes: ['push'] } },
  ];
  for (const { name, hook } of drifts) {
    it(`${name} is not as desired`, async () => {
      await webhook.create(access, { ...desired, ...hook }, isOurs);
      expect((await webhook.observe(access, isOurs))[0]?.isAsDesired(desired)).toBe(false);
    });
  }

  it('an inactive one, and one that sends forms, is not as desired; the order of events does not matter', async () => {
    await webhook.create(access, desired, isOurs);
    const [hook] = github.hooks;
    if (!hook) throw new Error('no hook');
    hook.events.reverse();
    expect((await webhook.observe(access, isOurs))[0]?.isAsDesired(desired)).toBe(true);
    hook.active = false;
    expect((await webhook.observe(access, isOurs))[0]?.isAsDesired(desired)).toBe(false);
    hook.active = true;
    hook.config.content_type = 'form';
    expect((await webhook.observe(access, isOurs))[0]?.isAsDesired(desired)).toBe(false);
  });
});

it('a webhook whose secret was removed is not as desired', async () => {
  await webhook.create(access, desired, isOurs);
  const [hook] = github.hooks;
  if (!hook) throw new Error('no hook');
  hook.config.secret = '';
  expect((await webhook.observe(access, isOurs))[0]?.isAsDesired(desired)).toBe(false);
});

describe('writing', () => {
  it('create takes over one that is there already', async () => {
    const first = await webhook.create(access, desired, isOurs);
    const second = await webhook.create(access, { ...desired, secret: 'next' }, isOurs);
    expect(second.id).toBe(first.id);
    expect(github.hooks.map(({ config }) => config.secret)).toEqual(['next']);
  });

  it('create takes over the one with its URL, not another of the same path', async () => {
    const old = await webhook.create(access, { ...desired, url: `http://old.example.com${PATH}` }, isOurs);
    const first = await webhook.create(access, desired, isOurs);
    expect((await webhook.create(access, desired, isOurs)).id).toBe(first.id);
    expect((await webhook.observe(access, isOurs)).map(({ id }) => id)).toEqual([old.id, first.id]);
  });

  it('update changes everything', async () => {
    const { id } = await webhook.create(access, desired, isOurs);
    const next = { url: `https://new.example.com${PATH}`, eventTypes: ['*'], secret: 'next' };
    expect((await webhook.update(access, id, next)).isAsDesired(next)).toBe(true);
    expect(github.hooks[0]?.config.secret).toBe('next');
  });

  it('update does not make two with one URL', async () => {
    await webhook.create(access, desired, isOurs);
    const { id } = await webhook.create(access, { ...desired, url: `http://old.example.com${PATH}` }, isOurs);
    const message = expect.stringContaining('Hook already exists on this repository');
    await expect(webhook.update(access, id, desired)).rejects.toMatchObject({ status: 422, message });
    const elsewhere = await webhook.create(
      { ...access, repository: 'octo' },
      { ...desired, url: 'https://x/' },
      isOurs,
    );
    await webhook.update({ ...access, repository: 'octo' }, elsewhere.id, desired);
  });

  it('remove removes, and does not mind when it is gone', async () => {
    const { id } = await webhook.create(access, desired, isOurs);
    await webhook.remove(access, id);
    expect(github.hooks).toEqual([]);
    await expect(webhook.remove(access, id)).resolves.toBeUndefined();
  });
});

describe('the next page of the list', () => {
  const elsewhere: { name: string; next: (api: string) => string }[] = [
    { name: 'another host', next: () => 'http://127.0.0.2:1/api/v3/orgs/octo/hooks' },
    { name: 'another scheme', next: (api) => api.replace('http:', 'https:') },
    { name: 'another port', next: () => 'http://127.0.0.1:1/api/v3/orgs/octo/hooks' },
    { name: 'another path of the host', next: (api) => `${api}/../v4/hooks` },
    { name: 'a path that begins alike', next: (api) => `${api}x/hooks` },
    { name: 'a user name before the host', next: (api) => `${api.replace('//', '//user@')}/hooks` },
    { name: 'no URL, but what becomes another host behind the API', next: () => '@127.0.0.2:1/hooks' },
  ];
  for (const { name, next } of elsewhere) {
    it(`${name}: refused, and the token does not go there`, async () => {
      const api = await anApi((_request, reply) =>
        sendJson(reply, [], 200, { link: `<${next(`${api.url}/api/v3`)}>; rel="next"` }),
      );
      const listing = webhook.observe({ ...access, api: `${api.url}/api/v3` }, isOurs);
      await expect(listing).rejects.toMatchObject({ name: 'RemoteApiError', trouble: 'invalid' });
      expect(api.calls).toHaveLength(1);
    });
  }

  const apiOfPages = (pages: number) =>
    anApi((request, reply) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page') ?? 1);
      const link = `<http://${request.headers.host}/orgs/octo/hooks?page=${page + 1}>; rel="next"`;
      sendJson(reply, [], 200, page < pages ? { link } : {});
    });

  it('is asked for until there are 50', async () => {
    const { url, calls } = await apiOfPages(50);
    expect(await webhook.observe({ ...access, api: url }, isOurs)).toEqual([]);
    expect(calls).toHaveLength(50);
  });

  it('is not asked for after 50', async () => {
    const { url, calls } = await apiOfPages(51);
    const error = { trouble: 'invalid', message: expect.stringContaining('more than 50 pages') };
    await expect(webhook.observe({ ...access, api: url }, isOurs)).rejects.toMatchObject(error);
    expect(calls).toHaveLength(50);
  });

  it('a refusal of the list is no empty list', async () => {
    github.refuse(409);
    await expect(webhook.observe(access, isOurs)).rejects.toMatchObject({ trouble: 'invalid', status: 409 });
  });
});

describe("an answer that is not GitHub's", () => {
  const hook = { id: 1, active: true, events: ['push'], config: { url: desired.url } };
  const { id: _, ...withoutId } = hook;
  const { config: __, ...withoutConfig } = hook;
  const bodies: { name: string; body: unknown; type?: string }[] = [
    { name: 'a page', body: '<html>SECRET</html>', type: 'text/html; charset=utf-8' },
    { name: 'a page that says it is JSON', body: '<html>SECRET</html>', type: 'application/json' },
    { name: 'bytes', body: 'SECRET', type: 'application/octet-stream' },
    { name: 'of no type', body: 'SECRET', type: '' },
    { name: 'of a broken type', body: 'SECRET', type: '; SECRET ; =' },
    { name: 'nothing', body: '' },
    { name: 'null', body: null },
    { name: 'a number', body: 12 },
    { name: 'an object', body: { message: 'SECRET', total_count: 1, total_commits: 2 } },
    { name: 'a list of nothing', body: [null] },
    { name: 'webhooks without id', body: [hook, withoutId] },
    { name: 'webhooks without config', body: [withoutConfig] },
    { name: 'webhooks with strange events', body: [{ ...hook, events: 'SECRET' }] },
  ];
  const calls: [name: string, call: (own: HookAccess) => Promise<unknown>][] = [
    ['list', (own) => webhook.observe(own, isOurs)],
    ['creation', (own) => webhook.create(own, desired, isOurs)],
    ['change', (own) => webhook.update(own, '1', desired)],
    ['removal', (own) => webhook.remove(own, '1')],
  ];
  for (const { name, body, type = 'application/json' } of bodies) {
    it.each(calls)(`${name}: said so of a %s, and not quoted`, async (_call, call) => {
      const api = await anApi((_request, reply) => {
        if (type) reply.setHeader('content-type', type);
        reply.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
      const error = await call({ ...access, api: api.url }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'RemoteApiError', trouble: 'invalid', status: 200 });
      expect(String(error)).toMatch(
        /^RemoteApiError: [A-Z]+ [/\w]+: 200 this is not GitHub's API: check githubAPIURL$/,
      );
      expect(api.calls).toHaveLength(1);
    });
  }

  it('is not that of a webhook which somebody else set up strangely', async () => {
    const strange = { ...hook, config: { url: null, insecure_ssl: 1 } };
    const api = await anApi((_request, reply) => sendJson(reply, [strange, hook]));
    expect((await webhook.observe({ ...access, api: api.url }, isOurs))[0]?.url).toBe(desired.url);
  });
});
