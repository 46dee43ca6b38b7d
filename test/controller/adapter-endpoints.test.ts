import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AdapterEndpoints, type EndpointSlice, readyUrlsIn } from '../../controller/kube/adapter-endpoints.ts';
import { ApiStatusError, type ListWatchTransport } from '../../core/list-watch.ts';
import { FakeApi, type Thing } from '../support/fake-api.ts';

type Endpoint = NonNullable<EndpointSlice['endpoints']>[number];

const at = (address: string, conditions?: Endpoint['conditions']): Endpoint => ({
  addresses: [address],
  ...(conditions !== undefined && { conditions }),
});
const slice = (endpoints: readonly Endpoint[] | null, rest: Partial<EndpointSlice> = {}): EndpointSlice => ({
  metadata: { name: 'x' },
  addressType: 'IPv4',
  endpoints,
  ports: [
    { name: 'http', port: 8080 },
    { name: 'internal', port: 8090 },
  ],
  ...rest,
});

describe('readyUrlsIn', () => {
  const rows: { name: string; slices: EndpointSlice[]; urls: string[] }[] = [
    { name: 'ready', slices: [slice([at('10.0.0.1', { ready: true })])], urls: ['http://10.0.0.1:8090'] },
    { name: 'not ready', slices: [slice([at('10.0.0.1', { ready: false })])], urls: [] },
    { name: 'without conditions', slices: [slice([at('10.0.0.1')])], urls: ['http://10.0.0.1:8090'] },
    { name: 'with conditions: null', slices: [slice([at('10.0.0.1', null)])], urls: ['http://10.0.0.1:8090'] },
    { name: 'terminating', slices: [slice([at('10.0.0.1', { ready: true, terminating: true })])], urls: [] },
    {
      name: 'IPv6',
      slices: [slice([at('fd00::1')], { addressType: 'IPv6' })],
      urls: ['http://[fd00::1]:8090'],
    },
    { name: 'a name', slices: [slice([at('pod.example.com')], { addressType: 'FQDN' })], urls: [] },
    {
      name: 'the same in two slices, and another',
      slices: [slice([at('10.0.0.2'), at('10.0.0.1')]), slice([at('10.0.0.2')])],
      urls: ['http://10.0.0.1:8090', 'http://10.0.0.2:8090'],
    },
    {
      name: 'no port of that name',
      slices: [slice([at('10.0.0.1')], { ports: [{ name: 'http', port: 8080 }] })],
      urls: [],
    },
    { name: 'a port without number', slices: [slice([at('10.0.0.1')], { ports: [{ name: 'internal' }] })], urls: [] },
    { name: 'nothing in it', slices: [slice(null, { ports: null })], urls: [] },
    {
      name: 'a port of its own in each slice',
      slices: [slice([at('10.0.0.1')]), slice([at('10.0.0.2')], { ports: [{ name: 'internal', port: 9 }] })],
      urls: ['http://10.0.0.1:8090', 'http://10.0.0.2:9'],
    },
  ];
  for (const { name, slices, urls } of rows) it(name, () => expect(readyUrlsIn(slices)).toEqual(urls));
});

/** What stands in a slice of the fake API, which keeps numbers. */
const CONTENTS = [[], [at('10.0.0.1')], [at('10.0.0.1'), at('10.0.0.2')], [at('10.0.0.2')]];
const asSlice = ({ metadata, value }: Thing): EndpointSlice => slice(CONTENTS[value] ?? [], { metadata });

let api: FakeApi;
let refusal: ApiStatusError | undefined;
let told: string[][];
let lines: { msg: string; error?: string }[];
let endpoints: AdapterEndpoints;

const slices: ListWatchTransport<EndpointSlice> = {
  list: async (page, signal) => {
    if (refusal) throw refusal;
    const { items, ...rest } = await api.list(page, signal);
    return { ...rest, items: items.map(asSlice) };
  },
  watch: async function* (from, signal) {
    for await (const { type, object } of api.watch(from, signal))
      yield { type, object: type === 'BOOKMARK' || type === 'ERROR' ? object : asSlice(object as Thing) };
  },
};
const settled = (check: () => void) => vi.waitFor(check, { timeout: 3000, interval: 2 });
const warnings = () => lines.filter(({ error }) => error !== undefined);

beforeEach(() => {
  api = new FakeApi();
  refusal = undefined;
  told = [];
  lines = [];
  endpoints = new AdapterEndpoints({
    slices,
    onChange: (urls) => void told.push(urls.map((url) => url.slice('http://10.0.0.'.length, -':8090'.length))),
    log: pino({}, { write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]) }),
    timings: { firstRetryMs: 1, longestRetryMs: 4 },
  });
});
afterEach(() => endpoints.stop());

describe('AdapterEndpoints', () => {
  it('tells of each change of what is ready, and of nothing else', async () => {
    api.put('a', 1);
    endpoints.start();
    expect(await endpoints.ready()).toEqual(['http://10.0.0.1:8090']);
    await settled(() => expect(api.watches).toBe(1));
    api.put('a', 1);
    api.put('a', 2);
    await settled(() => expect(told).toEqual([['1'], ['1', '2']]));
    api.delete('a');
    await settled(() => expect(told.at(-1)).toEqual([]));
    expect(await endpoints.ready()).toEqual([]);
    expect(told).toHaveLength(3);
  });

  it('says nothing before the API server answered', async () => {
    const answer = vi.fn<(urls: readonly string[]) => void>();
    void endpoints.ready().then(answer);
    api.put('a', 1);
    api.faults.push('reset', 'reset');
    expect(answer).not.toHaveBeenCalled();
    endpoints.start();
    await settled(() => expect(answer).toHaveBeenCalledWith(['http://10.0.0.1:8090']));
  });

  it('does not take what it reads halfway through a list for a change', async () => {
    api.put('a', 1);
    endpoints.start();
    await settled(() => expect(told).toEqual([['1']]));
    await settled(() => expect(api.watches).toBe(1));
    api.faults.push('error');
    api.delete('a');
    api.put('b', 1);
    api.put('c', 3);
    await settled(() => expect(told.at(-1)).toEqual(['1', '2']));
    expect(told).toEqual([['1'], ['1', '2']]);
  });

  it('keeps what it read while the API server is away', async () => {
    api.put('a', 1);
    endpoints.start();
    await settled(() => expect(api.watches).toBe(1));
    refusal = new ApiStatusError('list', 500, 'etcd is away');
    api.faults.push('reset');
    api.put('a', 3);
    await settled(() => expect(warnings()).toHaveLength(2));
    expect(await endpoints.ready()).toEqual(['http://10.0.0.1:8090']);
    refusal = undefined;
    await settled(() => expect(told).toEqual([['1'], ['2']]));
  });

  it('has none while it may not read them, says so once, and comes back', async () => {
    refusal = new ApiStatusError('list', 403, 'forbidden');
    const list = vi.spyOn(slices, 'list');
    api.put('a', 1);
    endpoints.start();
    expect(await endpoints.ready()).toEqual([]);
    await settled(() => expect(list.mock.calls.length).toBeGreaterThan(3));
    expect(warnings()).toHaveLength(1);
    refusal = undefined;
    await settled(() => expect(told).toEqual([['1']]));
    await settled(() => expect(api.watches).toBe(1));
    refusal = new ApiStatusError('list', 403, 'forbidden');
    api.faults.push('error');
    api.put('b', 0);
    await settled(() => expect(told).toEqual([['1'], []]));
    refusal = undefined;
    await settled(() => expect(told).toEqual([['1'], [], ['1']]));
    list.mockRestore();
  });
});
