import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HeadwaterProcess } from '../support/headwater.ts';

let routes: string;
beforeEach(async () => {
  routes = await mkdtemp(join(tmpdir(), 'headwater-routes-'));
});
afterEach(() => rm(routes, { recursive: true, force: true }));

async function canConnect(host: string, port: number): Promise<boolean> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('headwater adapter', () => {
  for (const { name, env } of [
    { name: 'without HOST', env: {} },
    { name: 'with an empty HOST', env: { HOST: '' } },
  ]) {
    it(`${name} is reached at 127.0.0.1 alone, and ends with 0 on SIGTERM`, async () => {
      const settings = { PORT: '0', INTERNAL_PORT: '0', SHUTDOWN_DELAY_MS: '0', ROUTES_DIR: routes };
      const adapter = HeadwaterProcess.start(['adapter'], { env: { ...settings, ...env } });
      const [, port] = await adapter.waitFor(/"port":(\d+).*adapter ready/);
      expect(await canConnect('127.0.0.1', Number(port))).toBe(true);
      expect(await canConnect('127.0.0.2', Number(port))).toBe(false);
      expect(await adapter.signal('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    });
  }

  it('says what its environment lacks', async () => {
    const { code, stderr } = await HeadwaterProcess.run(['adapter']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^headwater adapter: [^\n]*ROUTES_DIR is not set[^\n]*\n$/);
  });
});
