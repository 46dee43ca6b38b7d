import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { httpStatusFor, outcomeKinds } from '../../adapter/outcome.ts';
import { aRoute } from '../support/builders.ts';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { send, sendRaw } from '../support/post.ts';
import { TestAdapter } from '../support/test-adapter.ts';

const PATH = '/hooks/0a1b2c3d';
const KIBIBYTE = 1024;
let sink: FakeSink;
let adapter: TestAdapter;
let holder: Socket;

beforeAll(async () => {
  sink = await FakeSink.start();
  const route = { sink: { url: sink.url() }, eventTypes: ['issues'], delivery: { retry: 0 } };
  adapter = await TestAdapter.start([aRoute(route), aRoute({ ...route, uid: 'nosink', name: 'nosink', sink: null })], {
    MAX_BODY_BYTES: String(64 * KIBIBYTE),
    MAX_BUFFERED_BYTES: String(64 * KIBIBYTE),
  });
  holder = await holdRoom();
});
afterAll(async () => {
  holder.destroy();
  await adapter.stop();
  await sink.close();
});
afterEach(() => sink.answerWith(202));

/** A client that has sent half of the longest body, and waits: there is room for small ones only. */
async function holdRoom(): Promise<Socket> {
  const headers = { ...aDelivery().headers, 'Content-Length': String(64 * KIBIBYTE) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(adapter.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`POST ${PATH} HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\n${'x'.repeat(32 * KIBIBYTE)}`);
  await vi.waitUntil(async () => (await adapter.metric('headwater_buffered_bytes')) >= 32 * KIBIBYTE);
  return socket;
}

const signed = aDelivery();
const { 'X-Hub-Signature-256': _signature, ...unsigned } = signed.headers;
const wrongSignature = { 'X-Hub-Signature-256': `sha256=${'0'.repeat(64)}` };
const text = { 'Content-Type': 'text/plain' };
const long = { 'Content-Length': String(64 * KIBIBYTE + 1) };

/** Each request is wrong in its own row and in all rows below it: the order of the table is what decides. */
const rowsWithoutBody = [
  { name: 'unknown path', method: 'GET', path: '/hooks/other', headers: { ...text, ...long }, status: 404 },
  {
    name: 'unknown path above a known one',
    method: 'GET',
    path: `${PATH}/x`,
    headers: { ...text, ...long },
    status: 404,
  },
  { name: 'GET', method: 'GET', path: PATH, headers: { ...text, ...long }, status: 405 },
  { name: 'PUT', method: 'PUT', path: PATH, headers: { ...text, ...long }, status: 405 },
  { name: 'OPTIONS', method: 'OPTIONS', path: PATH, headers: { ...text, ...long }, status: 405 },
  { name: 'a method no router knows', method: 'PURGE', path: PATH, headers: { ...text, ...long }, status: 405 },
  { name: 'no content type', method: 'POST', path: PATH, headers: long, status: 415 },
  { name: 'text', method: 'POST', path: PATH, headers: { ...text, ...long }, status: 415 },
  {
    name: 'a content encoding',
    method: 'POST',
    path: PATH,
    headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip', ...long },
    status: 415,
  },
  { name: 'declared too long', method: 'POST', path: PATH, headers: { ...unsigned, ...long }, status: 413 },
  {
    name: 'no signature',
    method: 'POST',
    path: PATH,
    headers: { ...unsigned, 'Content-Length': String(40 * KIBIBYTE) },
    status: 401,
  },
  {
    name: 'no room',
    method: 'POST',
    path: PATH,
    headers: { ...unsigned, ...wrongSignature, 'Content-Length': String(40 * KIBIBYTE) },
    status: 503,
  },
];

describe('refused before the body is there', () => {
  for (const { name, method, path, headers, status } of rowsWithoutBody) {
    it(`${name}: ${status}`, async () => {
      const lines = Object.entries(headers).map(([field, value]) => `${field}: ${value}\r\n`);
      const reply = await sendRaw(
        adapter.port,
        [`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines.join('')}\r\n`],
        3000,
      );
      expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(/^retry-after: 5\r$/im.test(reply)).toBe(status === 503);
      expect(/^allow: POST\r$/im.test(reply)).toBe(status === 405);
    });
  }
});

describe('refused after the body', () => {
  const without = (name: string) =>
    Object.fromEntries(Object.entries(signed.headers).filter(([field]) => field !== name));
  const array = aDelivery({ payload: Buffer.from('[]') });
  const rows = [
    { name: 'a signature of other bytes', headers: signed.headers, body: '{}', status: 401, says: 'does not match' },
    {
      name: 'forged and malformed',
      headers: { ...without('X-GitHub-Event'), ...wrongSignature },
      body: '[]',
      status: 401,
      says: 'does not match',
    },
    {
      name: 'no event header',
      headers: without('X-GitHub-Event'),
      body: signed.body,
      status: 400,
      says: 'X-GitHub-Event',
    },
    {
      name: 'no delivery header',
      headers: without('X-GitHub-Delivery'),
      body: signed.body,
      status: 400,
      says: 'X-GitHub-Delivery',
    },
    {
      name: 'malformed and unwanted',
      headers: { ...array.headers, 'X-GitHub-Event': 'push' },
      body: array.body,
      status: 400,
      says: 'not a JSON object',
    },
    { name: 'not an object', headers: array.headers, body: array.body, status: 400, says: 'not a JSON object' },
  ];
  for (const { name, headers, body, status, says } of rows) {
    it(`${name}: ${status}`, async () => {
      const before = sink.received.length;
      const reply = await send(adapter.url(PATH), { headers, body });
      expect(reply.status).toBe(status);
      expect(reply.text).toContain(says);
      expect(sink.received).toHaveLength(before);
    });
  }

  it('an undeclared body over the limit: 413', async () => {
    const headers = { ...signed.headers, 'Transfer-Encoding': 'chunked' };
    const lines = Object.entries(headers).map(([field, value]) => `${field}: ${value}\r\n`);
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const roomy = await TestAdapter.start([aRoute()], { MAX_BODY_BYTES: String(64 * KIBIBYTE) });
    const reply = await sendRaw(roomy.port, [
      `POST ${PATH} HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\n`,
      ...Array<string>(5).fill(chunk),
    ]);
    await roomy.stop();
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('an undeclared body that finds no room: 503 with Retry-After', async () => {
    const headers = { ...signed.headers, 'Transfer-Encoding': 'chunked' };
    const lines = Object.entries(headers).map(([field, value]) => `${field}: ${value}\r\n`);
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const reply = await sendRaw(adapter.port, [
      `POST ${PATH} HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\n`,
      ...Array<string>(3).fill(chunk),
    ]);
    expect(reply).toMatch(/^HTTP\/1\.1 503 [\s\S]*^retry-after: 5\r$/im);
  });
});

describe('the outcome of a good delivery', () => {
  it('of an event the source does not ask for: 202, filtered, not sent', async () => {
    const before = sink.received.length;
    const reply = await post(adapter, aDelivery({ eventType: 'push', payload: {} }));
    expect({ status: reply.status, text: reply.text }).toEqual({
      status: 202,
      text: expect.stringContaining('filtered'),
    });
    expect(sink.received).toHaveLength(before);
  });

  it('of a ping the source does not list: 202, sent', async () => {
    const delivery = aDelivery({ eventType: 'ping', payload: { hook_id: 5 } });
    expect((await post(adapter, delivery)).text).toBe('kept\n');
    expect(sink.received.at(-1)?.headers).toMatchObject({ 'ce-id': delivery.id, 'ce-subject': '5' });
  });

  it('kept once, a duplicate after that', async () => {
    const delivery = aDelivery();
    const before = sink.received.length;
    expect(await post(adapter, delivery)).toMatchObject({ status: 202, text: 'kept\n' });
    expect(await post(adapter, delivery)).toMatchObject({ status: 202, text: expect.stringContaining('duplicate') });
    expect(sink.received).toHaveLength(before + 1);
  });

  it('refused by the sink for good: 502', async () => {
    sink.answerWith(400);
    expect((await post(adapter, aDelivery())).status).toBe(502);
  });

  it('not accepted by the sink now: 503 with Retry-After, and nothing of the sink in it', async () => {
    sink.answerWith(500);
    const reply = await post(adapter, aDelivery());
    expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    expect(`${reply.text}${JSON.stringify(reply.headers)}`).not.toMatch(/text of the sink|127\.0\.0\.1/);
  });

  it('for a source without a usable sink: 503', async () => {
    expect((await post(adapter, aDelivery(), 'nosink')).status).toBe(503);
  });

  it('below a base path with a prefix, and with a query: as without', async () => {
    const { headers, body } = aDelivery();
    const reply = await send(adapter.url(`/some/prefix${PATH}?a=b`), { headers, body });
    expect(reply).toMatchObject({ status: 202, text: 'kept\n' });
  });

  it('2xx only after the sink accepted', async () => {
    const order: string[] = [];
    let release: () => void = () => undefined;
    sink.answer((response) => {
      release = () => void response.writeHead(202).end();
    });
    const before = sink.received.length;
    const reply = post(adapter, aDelivery()).then(({ status }) => order.push(`reply ${status}`));
    await sink.waitFor(before + 1);
    // Time enough for a reply that does not wait.
    for (let index = 0; index < 50; index += 1) await adapter.internal('/healthz');
    order.push('sink answers');
    release();
    await reply;
    expect(order).toEqual(['sink answers', 'reply 202']);
  });
});

it('never answers 410, nor 2xx for what is not kept, filtered or a duplicate', () => {
  const positive = outcomeKinds.filter((kind) => httpStatusFor(kind) < 300);
  expect(positive.toSorted()).toEqual(['duplicate', 'filtered', 'kept']);
  expect(outcomeKinds.map(httpStatusFor)).not.toContain(410);
});
