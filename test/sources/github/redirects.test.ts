import { describe, expect, it } from 'vitest';
import type { Claim, DesiredHook, HookAccess } from '../../../sources/contract.ts';
import { webhookApi } from '../../../sources/github/webhook.ts';
import { anApi, sendJson } from '../../support/an-api.ts';
import { egress } from '../../support/egress.ts';

const webhook = webhookApi(egress(), () => new Date());
const everyone: Claim = () => true;
const desired: DesiredHook = { url: 'https://hooks.example.com/hooks/1', eventTypes: ['push'], secret: 's3cret' };
const HOOK = { id: 7, active: true, events: ['push'], config: { url: desired.url } };
const accessTo = (url: string): HookAccess => ({ api: `${url}/api/v3`, repository: 'octo/old', token: 'good' });

const calls: { name: string; call: (own: HookAccess) => Promise<unknown>; path: string }[] = [
  { name: 'GET', call: (own) => webhook.observe(own, everyone), path: '?per_page=100' },
  { name: 'POST', call: (own) => webhook.create(own, desired, everyone), path: '' },
  { name: 'PATCH', call: (own) => webhook.update(own, '7', desired), path: '/7' },
  { name: 'DELETE', call: (own) => webhook.remove(own, '7'), path: '/7' },
];

/** An API where octo/old is called octo/new by now, and answers with `status` for it. */
async function renamed(status: number) {
  const seen: { token: string | undefined; hasSecret: boolean }[] = [];
  const api = await anApi((request, reply) => {
    const { method, url = '' } = request;
    if (url.includes('/repos/octo/old/')) {
      const location = url.replace('/repos/octo/old/', '/repositories/12/');
      reply.writeHead(status, { location }).end();
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push({ token: request.headers.authorization, hasSecret: Buffer.concat(chunks).includes('s3cret') });
      if (method === 'DELETE') reply.writeHead(204).end();
      else sendJson(reply, method === 'GET' ? [HOOK] : HOOK);
    });
  });
  return { ...api, seen };
}

describe('a repository that was renamed', () => {
  for (const { name, call, path } of calls) {
    it.each([301, 302, 307, 308])(`${name} after %i: repeated as it is, with the token`, async (status) => {
      const { url, calls: made, seen } = await renamed(status);
      await call(accessTo(url));
      expect(made).toEqual([
        `${name} /api/v3/repos/octo/old/hooks${path}`,
        `${name} /api/v3/repositories/12/hooks${path}`,
      ]);
      expect(seen).toEqual([{ token: 'token good', hasSecret: name === 'POST' || name === 'PATCH' }]);
    });
  }
});

describe('a redirect that is not followed', () => {
  const message = expect.stringContaining(
    'is a redirect that is not followed: name the repository, or the API, as',
  ) as string;
  const error = (status: number) => ({ name: 'RemoteApiError', trouble: 'invalid', status, message });

  it.each(calls)('$name to another host: said so, and the token does not go there', async ({ call }) => {
    const other = await anApi((_request, reply) => sendJson(reply, [HOOK]));
    const api = await anApi((request, reply) => reply.writeHead(307, { location: `${other.url}${request.url}` }).end());
    await expect(call(accessTo(api.url))).rejects.toMatchObject(error(307));
    expect([api.calls.length, other.calls]).toEqual([1, []]);
  });

  const elsewhere: { name: string; location: (host: string) => string | undefined }[] = [
    { name: 'to another path of the host', location: () => '/api/v4/repositories/12/hooks' },
    { name: 'out of the API by dots', location: () => '/api/v3/../v4/hooks' },
    { name: 'to a path that begins alike', location: () => '/api/v33/hooks' },
    { name: 'with a user name', location: (host) => `http://user@${host}/api/v3/hooks` },
    { name: 'to another scheme', location: (host) => `https://${host}/api/v3/hooks` },
    { name: 'to no URL', location: () => 'http://' },
    { name: 'to nowhere', location: () => undefined },
  ];
  for (const { name, location } of elsewhere) {
    it(`${name}: said so`, async () => {
      const api = await anApi((request, reply) => {
        const target = location(request.headers.host ?? '');
        reply.writeHead(301, target === undefined ? {} : { location: target }).end();
      });
      await expect(webhook.observe(accessTo(api.url), everyone)).rejects.toMatchObject(error(301));
      expect(api.calls).toHaveLength(1);
    });
  }

  it('after three others: a loop ends', async () => {
    const api = await anApi((request, reply) => reply.writeHead(307, { location: request.url }).end());
    await expect(webhook.observe(accessTo(api.url), everyone)).rejects.toMatchObject(error(307));
    expect(api.calls).toHaveLength(4);
  });

  it('of a status that is none of the four', async () => {
    const api = await anApi((_request, reply) => reply.writeHead(303, { location: '/api/v3/hooks' }).end());
    await expect(webhook.observe(accessTo(api.url), everyone)).rejects.toMatchObject(error(303));
    expect(api.calls).toHaveLength(1);
  });
});
