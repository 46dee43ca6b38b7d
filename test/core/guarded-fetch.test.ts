import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { TestProxy } from '../support/test-proxy.ts';

const root = join(import.meta.dirname, '../..');
const tls = (name: string) => join(root, 'test/support/tls', name);
const SCRIPT = `
  import { AddressGuard } from './core/address-guard.ts';
  import { EnvReader } from './core/env.ts';
  import { guardedFetch } from './core/guarded-fetch.ts';
  import { readProxies } from './core/proxies.ts';
  const guard = new AddressGuard({ allowLoopback: true });
  const proxies = readProxies(new EnvReader(process.env));
  const reply = await guardedFetch({ guard, proxies }, process.env.URL_TO_CALL, {});
  process.stdout.write(await reply.text());
`;

let server: Server;
beforeAll(async () => {
  const [key, cert] = await Promise.all(['server.key', 'server.pem'].map((name) => readFile(tls(name))));
  server = createServer({ key, cert }, (_request, reply) => void reply.end('of a private authority')).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
});
afterAll(() => void server.close());

/** In a process of its own, as Node reads these variables when it starts. */
async function fetched(env: Readonly<Record<string, string>>): Promise<string> {
  const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
  const args = ['--input-type=module', '-e', SCRIPT];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: root,
    env: { URL_TO_CALL: url, ...env },
  });
  return stdout;
}

describe('guardedFetch from a server whose certificate is of a private authority', () => {
  it('trusts it where NODE_EXTRA_CA_CERTS names it', async () =>
    expect(await fetched({ NODE_EXTRA_CA_CERTS: tls('ca.pem') })).toBe('of a private authority'));

  it('does not where it does not', async () => {
    await expect(fetched({})).rejects.toThrow(/SELF_SIGNED|UNABLE_TO/);
  });

  it('trusts it behind a proxy, too', async () => {
    const proxy = await TestProxy.start({ 'sink.test': (server.address() as AddressInfo).port });
    onTestFinished(() => proxy.close());
    const behind = { URL_TO_CALL: 'https://sink.test/', HTTPS_PROXY: proxy.url };
    expect(await fetched({ ...behind, NODE_EXTRA_CA_CERTS: tls('ca.pem') })).toBe('of a private authority');
    await expect(fetched(behind)).rejects.toThrow(/SELF_SIGNED|UNABLE_TO/);
    expect(proxy.calls).toEqual(['CONNECT sink.test:443', 'CONNECT sink.test:443']);
  });
});
