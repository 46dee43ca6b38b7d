import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SecretsTransport } from '../../adapter/kube-api.ts';
import { ApiClient } from '../../controller/kube/api-client.ts';
import { transportOf } from '../../controller/kube/transport.ts';
import { ListWatch, type ListWatchTransport } from '../../core/list-watch.ts';
import { CA_FILE, type ServedApi, serveOverHttps } from '../support/api-over-https.ts';
import { CutOff } from '../support/cut-off.ts';
import { FakeApi, type Fault, type Thing } from '../support/fake-api.ts';

const PATH = '/api/v1/namespaces/routes/secrets';

/** The controller's way to an API server, and the adapter's. */
const transports: Record<string, (served: ServedApi) => Promise<ListWatchTransport<Thing>>> = {
  'the controller': async ({ url, token }) => {
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: 'c', server: url, caFile: CA_FILE, skipTLSVerify: false },
      { name: 'u', token },
    );
    const api = new ApiClient(config);
    onTestFinished(() => api.close());
    return transportOf<Thing>(api, PATH, { keep: (thing) => thing });
  },
  'the adapter': async ({ url, token }) => {
    const folder = await mkdtemp(join(tmpdir(), 'headwater-token-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'token'), `${token}\n`);
    const config = { url, namespace: 'routes', tokenFile: join(folder, 'token'), caFile: CA_FILE };
    const transport = new SecretsTransport<Thing>(config, 'a=b', (secret) => secret as unknown as Thing);
    onTestFinished(() => transport.close());
    return transport;
  },
};

/** What a list-watch tells somebody who has nothing else to go by. */
async function follow(api: FakeApi, transportTo: (served: ServedApi) => Promise<ListWatchTransport<Thing>>) {
  const served = await serveOverHttps(api, PATH);
  const way = await CutOff.start(served.url);
  onTestFinished(() => way.stop());
  const told = new Map<string, number>();
  const log: string[] = [];
  const listWatch = new ListWatch<Thing>({
    transport: await transportTo({ ...served, url: way.url }),
    onChange: ({ metadata: { name }, value }) => {
      log.push(`${name}=${value}`);
      told.set(name, value);
    },
    onGone: ({ metadata: { name } }) => void told.delete(name),
    onFailure: () => undefined,
    timings: { pageSize: 3, pageMs: 300, silenceMs: 300, firstRetryMs: 5, longestRetryMs: 40 },
  });
  listWatch.start();
  onTestFinished(() => listWatch.stop());
  await listWatch.firstList;
  return { served, way, told, log };
}

const settled = (check: () => void) => vi.waitFor(check, { timeout: 10_000, interval: 10 });
const present = (api: FakeApi) => Object.fromEntries(api.all.map(({ metadata: { name }, value }) => [name, value]));

describe.each(Object.entries(transports))('the list-watch of %s', (_name, transportTo) => {
  const faults: Fault[] = ['reset', 'half-open', 'gone', 'error', 'slow', 'duplicate', 'end'];
  it.each(faults)('misses nothing when its connection breaks: %s', async (fault) => {
    const api = new FakeApi();
    for (const name of ['a', 'b', 'c', 'ü€𐍈']) api.put(name, 1);
    const { told, log } = await follow(api, transportTo);
    await settled(() => expect(api.watches).toBe(1));
    // Of the watch, and of what is asked after it.
    api.faults.push(fault, fault);
    api.put('a', 2);
    api.delete('b');
    await settled(() => expect(api.faults.length).toBeLessThan(2));
    api.put('ü€𐍈', 3);
    api.delete('c');
    api.put('d', 4);
    await settled(() => expect(Object.fromEntries(told)).toEqual({ a: 2, 'ü€𐍈': 3, d: 4 }));
    expect(log.length).toBe(new Set(log).size);
    expect(new Set(log.map((line) => line.split('=')[0]))).toEqual(new Set(['a', 'b', 'c', 'd', 'ü€𐍈']));
  });

  it('misses nothing in a storm of all of them', async () => {
    const api = new FakeApi();
    const { served, told } = await follow(api, transportTo);
    for (let round = 0; round < 60; round += 1) {
      const fault = faults[round % faults.length];
      if (fault) api.faults.push(fault);
      api.put(`n${round % 11}`, round);
      if (round % 3 === 0) api.delete(`n${(round + 5) % 11}`);
      if (round % 10 === 0) api.compact();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await settled(() => expect(api.faults).toEqual([]));
    await settled(() => expect(Object.fromEntries(told)).toEqual(present(api)));
    expect(served.connections).toBeGreaterThan(1);
  });

  it('goes on over a new connection when the present one is dead', async () => {
    const api = new FakeApi();
    api.put('a', 1);
    const { way, told } = await follow(api, transportTo);
    await settled(() => expect(api.watches).toBe(1));
    way.freezePresent();
    api.put('a', 2);
    const from = performance.now();
    await settled(() => expect(told.get('a')).toBe(2));
    // The silence, and then a list.
    expect(performance.now() - from).toBeLessThan(3000);
  });

  it('reads every page, over few connections', async () => {
    const api = new FakeApi();
    for (let index = 0; index < 40; index += 1) api.put(`n${index}`, index);
    const { served, told } = await follow(api, transportTo);
    expect(told.size).toBe(40);
    expect(api.lists).toHaveLength(14);
    expect(served.connections).toBeLessThanOrEqual(2);
  });
});
