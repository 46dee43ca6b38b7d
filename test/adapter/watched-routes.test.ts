import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, it, onTestFinished, vi } from 'vitest';
import { watchedRoutes } from '../../adapter/watched-routes.ts';
import type { Route } from '../../core/route.ts';
import { CA_FILE, serveOverHttps } from '../support/api-over-https.ts';
import { aRoute, SECRET } from '../support/builders.ts';
import { FakeApi } from '../support/fake-api.ts';

const PATH = '/api/v1/namespaces/headwater-routes/secrets';
const settled = (check: () => void) => vi.waitFor(check, { timeout: 5000, interval: 5 });
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A table of routes that follows the Secrets of an API. */
async function aTable() {
  const api = new FakeApi();
  const publish = (name: string, text: string) => api.put(name, 0, { data: { [`${name}.json`]: base64(text) } });
  publish('a', JSON.stringify(aRoute({ uid: 'a', path: '/hooks/a' })));
  const served = await serveOverHttps(api, PATH);
  const folder = await mkdtemp(join(tmpdir(), 'headwater-account-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const tokenFile = join(folder, 'token');
  const caFile = join(folder, 'ca.crt');
  await Promise.all([writeFile(tokenFile, 'good'), copyFile(CA_FILE, caFile)]);
  const routes = new Map<string, Route>();
  const log: { msg: string; error?: string }[] = [];
  const table = {
    put: (route: Route) => void routes.set(route.uid, route),
    remove: (uid: string) => void routes.delete(uid),
  };
  const feed = watchedRoutes(
    { url: served.url, namespace: 'headwater-routes', tokenFile, caFile },
    table,
    pino({}, { write: (line) => void log.push(JSON.parse(line) as { msg: string }) }),
    { firstRetryMs: 5, longestRetryMs: 20 },
  );
  await feed.start();
  onTestFinished(() => feed.stop());
  return { api, publish, served, routes, log, tokenFile, caFile };
}

it('follows route Secrets: more, changed, gone, another route in the same Secret', async () => {
  const { api, publish, routes } = await aTable();
  expect([...routes.keys()]).toEqual(['a']);
  publish('b', JSON.stringify(aRoute({ uid: 'b', path: '/hooks/b' })));
  publish('a', JSON.stringify(aRoute({ uid: 'a', path: '/hooks/a', generation: 7 })));
  await settled(() => expect(routes.get('a')?.generation).toBe(7));
  publish('b', JSON.stringify(aRoute({ uid: 'c', path: '/hooks/c' })));
  await settled(() => expect([...routes.keys()]).toEqual(['a', 'c']));
  api.delete('b');
  await settled(() => expect([...routes.keys()]).toEqual(['a']));
});

it.each(['{', '', '{"version":2}', JSON.stringify({ ...aRoute(), kind: 'NoSource' })])(
  'of a Secret that carries no route (%s) the last good one stays, and no secret is logged',
  async (text) => {
    const { publish, routes, log } = await aTable();
    const before = routes.get('a');
    publish('a', text);
    publish('new', text);
    await settled(() => expect(log.filter(({ msg }) => msg.startsWith('route refused'))).toHaveLength(2));
    expect([...routes.values()]).toEqual([before]);
    expect(JSON.stringify(log)).not.toContain(SECRET);
  },
);

it('goes on with a rotated token and rotated certificates', async () => {
  const { api, publish, served, routes, log, tokenFile, caFile } = await aTable();
  served.token = 'rotated';
  api.faults.push('reset');
  publish('b', JSON.stringify(aRoute({ uid: 'b', path: '/hooks/b' })));
  await settled(() => expect(log.some(({ error }) => error?.includes('401'))).toBe(true));
  expect([...routes.keys()]).toEqual(['a']);
  await writeFile(tokenFile, 'rotated\n');
  await settled(() => expect([...routes.keys()]).toEqual(['a', 'b']));
  const { connections } = served;
  await writeFile(caFile, 'no certificates');
  api.faults.push('reset');
  publish('c', JSON.stringify(aRoute({ uid: 'c', path: '/hooks/c' })));
  await settled(() => expect(log.filter(({ error }) => error?.includes('certificate'))).not.toEqual([]));
  await copyFile(CA_FILE, caFile);
  await settled(() => expect(routes.has('c')).toBe(true));
  expect(served.connections).toBeGreaterThan(connections);
});
