import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AddressGuard } from '../../../core/address-guard.ts';
import type { HookAccess } from '../../../sources/contract.ts';
import { webhookApi } from '../../../sources/github/webhook.ts';
import { anApi, sendJson } from '../../support/an-api.ts';

const PATH = '/hooks/0a1b2c3d';
const access: Omit<HookAccess, 'api'> = { repository: 'octo/hello', token: 'good' };
const listOf = (api: string, allowLoopback = true) =>
  webhookApi(new AddressGuard({ allowLoopback })).observe({ ...access, api }, PATH);

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
    const guard = new AddressGuard({ allowLoopback: true });
    // As if the name had moved since somebody looked.
    Object.assign(guard, {
      lookup: ((_name, _options, callback) => {
        callback(null, [{ address: '127.0.0.1', family: 4 }]);
      }) satisfies AddressGuard['lookup'],
    });
    const moved = `http://github.example.com:${new URL(api.url).port}`;
    expect(await webhookApi(guard).observe({ ...access, api: moved }, PATH)).toEqual([]);
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
