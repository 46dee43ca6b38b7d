import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const tls = (name: string) => join(root, 'test/support/tls', name);
const SCRIPT = `
  import { AddressGuard } from './core/address-guard.ts';
  import { guardedFetch } from './core/guarded-fetch.ts';
  const reply = await guardedFetch(new AddressGuard({ allowLoopback: true }), process.env.URL_TO_CALL, {});
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
});
