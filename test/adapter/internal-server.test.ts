import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRoute, SECRET } from '../support/builders.ts';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { send, sendRaw } from '../support/post.ts';
import { type RouteStateReply, TestAdapter } from '../support/test-adapter.ts';

interface StateReply {
  readonly ready: boolean;
  readonly cursor: string;
  readonly complete: boolean;
  readonly routes: readonly RouteStateReply[];
}

let sink: FakeSink;
let adapter: TestAdapter;
beforeAll(async () => {
  sink = await FakeSink.start();
  const secretTokens = [{ value: 'next' }, { value: SECRET }];
  adapter = await TestAdapter.start([
    aRoute({ sink: { url: sink.url() }, secretTokens, generation: 5 }),
    aRoute({ uid: 'quiet', name: 'quiet', sink: { url: sink.url() } }),
  ]);
});
afterAll(async () => {
  await adapter.stop();
  await sink.close();
});

const state = async (query = '') => (await (await adapter.internal(`/state${query}`)).json()) as StateReply;

describe('/state', () => {
  it('tells of each route its generation, counters, and the last authentic delivery', async () => {
    const before = Date.now();
    await post(adapter, aDelivery());
    await send(adapter.url('/hooks/0a1b2c3d'), { headers: aDelivery({ secret: 'wrong' }).headers, body: '{}' });
    const { ready, complete, routes } = await state();
    expect({ ready, complete, uids: routes.map(({ uid }) => uid).toSorted() }).toEqual({
      ready: true,
      complete: true,
      uids: ['0a1b2c3d', 'quiet'],
    });
    const one = routes.find(({ uid }) => uid === '0a1b2c3d');
    expect(one).toMatchObject({
      generation: 5,
      namespace: 'demo',
      name: 'hello',
      counters: { kept: 1, forged: 1, duplicate: 0 },
      lastAuthentic: { secretToken: 1, generation: 5 },
    });
    expect(Date.parse(one?.lastAuthentic?.time ?? '')).toBeGreaterThanOrEqual(before - 1);
    expect(JSON.stringify(routes)).not.toMatch(/next|It is a secret/);
  });

  it('tells of some with ?uid=, of none for an unknown one', async () => {
    expect((await state('?uid=quiet&uid=nobody&uid=0a1b2c3d')).routes.map(({ uid }) => uid)).toEqual([
      'quiet',
      '0a1b2c3d',
    ]);
    expect((await state('?uid=quiet')).routes.map(({ uid }) => uid)).toEqual(['quiet']);
    expect((await state('?uid=nobody')).routes).toEqual([]);
  });

  it('tells what changed with ?since=', async () => {
    const { cursor } = await state();
    expect(await state(`?since=${cursor}`)).toMatchObject({ complete: false, routes: [] });
    await post(adapter, aDelivery());
    const { routes, complete } = await state(`?since=${cursor}`);
    expect({ complete, uids: routes.map(({ uid }) => uid) }).toEqual({ complete: false, uids: ['0a1b2c3d'] });
  });

  it('tells everything for a cursor of another process, and after a removal', async () => {
    const { cursor } = await state();
    expect(await state('?since=00000000.1')).toMatchObject({ complete: true });
    expect(await state('?since=nonsense')).toMatchObject({ complete: true });
    await adapter.write(aRoute({ uid: 'gone', name: 'gone' }));
    await expect.poll(async () => (await state()).routes.length).toBe(3);
    const withGone = (await state()).cursor;
    const { rm } = await import('node:fs/promises');
    await rm(`${adapter.folder}/gone.json`);
    await expect.poll(async () => (await state()).routes.length).toBe(2);
    const after = await state(`?since=${withGone}`);
    expect({ complete: after.complete, count: after.routes.length }).toEqual({ complete: true, count: 2 });
    expect(cursor).not.toBe(after.cursor);
  });
});

describe('/metrics', () => {
  it('count by source and outcome, with labels nobody outside can choose', async () => {
    for (let index = 0; index < 20; index += 1) {
      await send(adapter.url(`/hooks/guess-${index}`), { headers: { 'X-GitHub-Event': `evil_${index}` } });
      await post(adapter, aDelivery({ eventType: `invented_${index}` }));
    }
    const text = await (await adapter.internal('/metrics')).text();
    expect(text).toMatch(/^headwater_deliveries_total\{source="",outcome="unknown-path"\} 20$/m);
    expect(text).toMatch(/^headwater_deliveries_total\{source="demo\/hello",outcome="kept"\} \d+$/m);
    expect(text).toMatch(/^headwater_routes 2$/m);
    expect(text).toMatch(/^headwater_delivery_duration_seconds_count \d+$/m);
    expect(Number(/^headwater_delivery_duration_seconds_sum (.*)$/m.exec(text)?.[1])).toBeGreaterThan(0);
    expect(text).toMatch(/^headwater_dead_lettered_total 0$/m);
    expect(text).not.toMatch(/guess|evil|invented/);
    const sources = new Set(Array.from(text.matchAll(/source="([^"]*)"/g), ([, source]) => source));
    expect([...sources].toSorted()).toEqual(['', 'demo/hello']);
  });
});

describe('the metric of buffered bytes', () => {
  const held = () => adapter.metric('headwater_buffered_bytes');

  const json = aDelivery();
  const form = aDelivery({ form: 'form' });
  const rows = [
    { name: 'the body', delivery: json, bytes: json.body.length },
    // As long as the encoded one until it is shortened; that is its memory.
    { name: 'a form and its document', delivery: form, bytes: 2 * form.body.length - 'payload='.length },
  ];
  it.each(rows)('is as long as $name while a delivery is under way, and 0 after it', async ({ delivery, bytes }) => {
    let release: () => void = () => undefined;
    sink.answer((response) => {
      release = () => void response.writeHead(202).end();
    });
    const before = sink.received.length;
    const reply = post(adapter, delivery);
    await sink.waitFor(before + 1);
    expect(await held()).toBe(bytes);
    release();
    expect((await reply).status).toBe(202);
    sink.answerWith(202);
    await expect.poll(held).toBe(0);
  });

  it('is 0 after bodies that are refused', async () => {
    const forged = aDelivery({ secret: 'wrong' });
    const malformed = aDelivery({ payload: Buffer.from('[]') });
    expect((await post(adapter, forged)).status).toBe(401);
    expect((await post(adapter, malformed)).status).toBe(400);
    const { headers } = aDelivery();
    const lines = Object.entries({ ...headers, 'Content-Length': '100000' }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    await sendRaw(adapter.port, [`POST /hooks/quiet HTTP/1.1\r\nHost: x\r\n${lines.join('\r\n')}\r\n\r\nhalf`], 200);
    await expect.poll(async () => (await adapter.stateOf('quiet'))?.counters['aborted']).toBe(1);
    expect(await held()).toBe(0);
  });
});

it('probes answer, and the public port knows none of these paths', async () => {
  for (const path of ['/healthz', '/readyz']) {
    expect((await adapter.internal(path)).status).toBe(200);
  }
  for (const path of ['/healthz', '/readyz', '/metrics', '/state']) {
    expect((await send(adapter.url(path), { method: 'GET' })).status).toBe(404);
  }
});

it('logs one line per delivery, with ids and outcome, without headers, secrets or bodies', async () => {
  adapter.lines.length = 0;
  const delivery = aDelivery({ id: 'logged', payload: { action: 'in-the-body' } });
  await post(adapter, delivery);
  expect(adapter.lines).toHaveLength(1);
  expect(adapter.lines[0]).toMatchObject({
    source: 'demo/hello',
    delivery: 'logged',
    event: 'issues',
    outcome: 'kept',
    status: 202,
    attempts: 1,
    bytes: delivery.data.length,
  });
  expect(JSON.stringify(adapter.lines)).not.toMatch(/in-the-body|sha256=|secret|Hookshot/);
});

it('logs what strangers can cause at debug, with the path cut', async () => {
  adapter.lines.length = 0;
  await send(adapter.url(`/hooks/${'x'.repeat(500)}`), { method: 'GET' });
  expect(adapter.lines).toEqual([
    expect.objectContaining({ level: 20, outcome: 'unknown-path', path: `/hooks/${'x'.repeat(193)}` }),
  ]);
});
