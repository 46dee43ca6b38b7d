import { createHmac } from 'node:crypto';
import { Agent } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aRoute, SECRET } from '../support/builders.ts';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { send, sendRaw } from '../support/post.ts';
import { TestAdapter } from '../support/test-adapter.ts';

const PATH = '/hooks/0a1b2c3d';
const MEBIBYTE = 1024 * 1024;
let sink: FakeSink;
let adapter: TestAdapter;

beforeAll(async () => {
  sink = await FakeSink.start();
  adapter = await TestAdapter.start([aRoute({ sink: { url: sink.url() } })], {
    HEADERS_TIMEOUT_MS: '400',
    REQUEST_TIMEOUT_MS: '1500',
  });
});
afterAll(async () => {
  await adapter.stop();
  await sink.close();
});

/** After whatever came in, the adapter still serves. */
async function expectAlive(): Promise<void> {
  expect((await post(adapter, aDelivery())).text).toBe('kept\n');
}

function signedHeaders(body: Buffer | string, headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  const signature = `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
  return { ...aDelivery().headers, 'X-Hub-Signature-256': signature, ...headers };
}

function head(headers: Readonly<Record<string, string>>, extra = ''): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${PATH} HTTP/1.1\r\nHost: x\r\n${lines.join('')}${extra}\r\n`;
}

const utf16 = Buffer.from('\ufeff{"a":1}', 'utf16le');
const big = (bytes: number) => `{"a":"${'x'.repeat(bytes - 8)}"}`;

describe('rightly signed bodies', () => {
  const rows: { name: string; body: Buffer | string; status: number; headers?: Record<string, string> }[] = [
    { name: '25 MB', body: big(25_000_000), status: 202 },
    { name: '26 MiB to the byte', body: big(26 * MEBIBYTE), status: 202 },
    { name: 'nothing', body: '', status: 400 },
    { name: 'null', body: 'null', status: 400 },
    { name: 'a list', body: '[]', status: 400 },
    { name: 'a string', body: '"x"', status: 400 },
    { name: 'a number', body: '1', status: 400 },
    { name: 'NaN', body: '{"a":NaN}', status: 400 },
    { name: 'trailing garbage', body: '{"a":1} x', status: 400 },
    { name: 'two documents', body: '{}{}', status: 400 },
    { name: 'cut off', body: '{"a":', status: 400 },
    { name: 'a byte order mark', body: '\ufeff{"a":1}', status: 400 },
    { name: 'UTF-16', body: utf16, status: 400 },
    { name: 'lone surrogates', body: '{"a":"\\ud800","sender":{"login":"\\udfff"}}', status: 202 },
    { name: 'depth 100,000', body: `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, status: 202 },
    { name: 'objects 100,000 deep', body: `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`, status: 202 },
    {
      name: 'a million keys',
      body: `{${Array.from({ length: 1_000_000 }, (_, index) => `"k${index}":1`).join()}}`,
      status: 202,
    },
    { name: 'a string of 10 MB', body: `{"action":"x","s":"${'s'.repeat(10_000_000)}"}`, status: 202 },
    {
      name: 'numbers beyond everything',
      body: '{"issue":{"number":1e999},"n":-1e999,"id":90071992547409931}',
      status: 202,
    },
    {
      name: 'a number beyond everything in depth 100,000',
      body: `{"issue":{"number":1e999},"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      status: 202,
    },
    {
      name: '__proto__ and constructor',
      body: '{"__proto__":{"sender":{"login":"x"}},"constructor":{"prototype":{"id":1}}}',
      status: 202,
    },
    { name: 'duplicate keys', body: '{"action":"a","action":"b"}', status: 202 },
    { name: 'keys with dots and dollars', body: '{"issue.number":1,"$ref":"#"}', status: 202 },
    {
      name: 'a charset that lies',
      body: '{"a":"+AGE-"}',
      status: 202,
      headers: { 'Content-Type': 'application/json; charset=utf-7' },
    },
    {
      name: 'JSON under another case',
      body: '{}',
      status: 202,
      headers: { 'Content-Type': 'Application/JSON;charset=UTF-8' },
    },
    { name: 'no content type', body: '{}', status: 415, headers: { 'Content-Type': '' } },
    { name: 'text', body: '{}', status: 415, headers: { 'Content-Type': 'text/json' } },
    {
      name: 'a type that only begins like JSON',
      body: '{}',
      status: 415,
      headers: { 'Content-Type': 'application/jsonp' },
    },
    { name: 'multipart', body: '{}', status: 415, headers: { 'Content-Type': 'multipart/form-data; boundary=x' } },
    { name: 'gzip', body: gzipSync(Buffer.alloc(MEBIBYTE)), status: 415, headers: { 'Content-Encoding': 'gzip' } },
    { name: 'br', body: 'x', status: 415, headers: { 'Content-Encoding': 'br' } },
    { name: 'zstd', body: 'x', status: 415, headers: { 'Content-Encoding': 'zstd' } },
    { name: 'nested encodings', body: 'x', status: 415, headers: { 'Content-Encoding': 'gzip, gzip' } },
    { name: 'an unknown encoding', body: 'x', status: 415, headers: { 'Content-Encoding': 'identity' } },
    {
      name: 'a form',
      body: 'payload=%7B%22a%22%3A1%7D',
      status: 202,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    },
    {
      name: 'a form with two payloads',
      body: 'payload=%7B%7D&payload=%7B%7D',
      status: 400,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    },
    {
      name: 'a form of 26 MiB of ampersands',
      body: `payload=%7B%7D${'&'.repeat(26 * MEBIBYTE - 14)}`,
      status: 400,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    },
    {
      name: 'a form without payload',
      body: 'x=%7B%7D',
      status: 400,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    },
    {
      name: 'JSON called a form',
      body: '{"a":1}',
      status: 400,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    },
  ];
  for (const { name, body, status, headers } of rows) {
    it(`${name}: ${status}`, async () => {
      const before = sink.received.length;
      const reply = await send(adapter.url(PATH), { headers: signedHeaders(body, headers), body });
      expect(reply.status).toBe(status);
      const received = sink.received.slice(before);
      expect(received).toHaveLength(status === 202 ? 1 : 0);
      expect(Object.keys(Object.prototype)).toEqual([]);
      await expectAlive();
    });
  }

  const kept = rows.filter(({ status, headers }) => status === 202 && !headers?.['Content-Type']?.includes('form'));
  it('that are kept arrive as they are', async () => {
    for (const { body, headers } of kept) {
      await send(adapter.url(PATH), { headers: signedHeaders(body, headers), body });
      expect(sink.received.at(-1)?.body.equals(Buffer.from(body))).toBe(true);
    }
  });
});

describe('lengths', () => {
  it('26 MiB + 1 declared: refused before it is sent', async () => {
    const headers = signedHeaders('x', { 'Content-Length': String(26 * MEBIBYTE + 1) });
    expect(await sendRaw(adapter.port, [head(headers)])).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('26 MiB + 1 undeclared: cut at the limit, and the client sees why', async () => {
    const headers = signedHeaders('x', { 'Transfer-Encoding': 'chunked' });
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MEBIBYTE, 'x'), Buffer.from('\r\n')]);
    const patient = await TestAdapter.start([aRoute()]);
    const start = performance.now();
    const reply = await sendRaw(patient.port, [head(headers), ...Array<Buffer>(27).fill(chunk)]);
    expect(reply).toMatch(/^HTTP\/1\.1 413 /);
    // Nobody waits for the rest of it.
    expect(performance.now() - start).toBeLessThan(3000);
    await patient.stop();
  });

  it('chunked without length: as with it', async () => {
    const headers = signedHeaders('{"a":1}', { 'Transfer-Encoding': 'chunked', Connection: 'close' });
    const chunks = ['2\r\n{"\r\n', '5\r\na":1}\r\n', '0\r\n\r\n'];
    expect(await sendRaw(adapter.port, [head(headers), ...chunks])).toMatch(/^HTTP\/1\.1 202 /);
  });

  it('longer than the body: the request times out, nothing is sent on', async () => {
    const before = sink.received.length;
    const reply = await sendRaw(adapter.port, [head(signedHeaders('{}', { 'Content-Length': '100' })), '{}']);
    expect(reply).toMatch(/^HTTP\/1\.1 408 /);
    expect(sink.received).toHaveLength(before);
    await expectAlive();
  });

  it('shorter than the body: what is left over is no second delivery', async () => {
    const before = sink.received.length;
    const body = '{"a":1}POST /hooks/x HTTP/1.1\r\n\r\n';
    const reply = await sendRaw(adapter.port, [head(signedHeaders(body, { 'Content-Length': '7' })), body]);
    expect(reply).toMatch(/^HTTP\/1\.1 401 /);
    expect(sink.received).toHaveLength(before);
  });
});

describe('slow and idle clients', () => {
  it('headers that drip: closed after the time for headers', async () => {
    const start = performance.now();
    const reply = await sendRaw(adapter.port, [`POST ${PATH} HTTP/1.1\r\nHost: x\r\nX-A: `], 5000);
    expect(reply).toMatch(/^HTTP\/1\.1 408 /);
    expect(performance.now() - start).toBeLessThan(3000);
  });

  it('a body that drips: closed after the time for requests', async () => {
    const start = performance.now();
    await sendRaw(adapter.port, [head(signedHeaders('{}', { 'Content-Length': '100' })), '{'], 6000);
    expect(performance.now() - start).toBeLessThan(4500);
    await expectAlive();
  });

  it('many connections that say nothing shut nobody out, and are closed', async () => {
    const idle = Array.from({ length: 1000 }, () => sendRaw(adapter.port, [], 8000));
    await expectAlive();
    await Promise.all(idle);
    await expectAlive();
  });

  it('many connections kept open between requests shut nobody out', async () => {
    const agent = new Agent({ keepAlive: true, maxFreeSockets: 1000 });
    const replies = Array.from({ length: 1000 }, () => send(adapter.url('/unknown'), { method: 'GET' }, agent));
    expect(new Set((await Promise.all(replies)).map(({ status }) => status))).toEqual(new Set([404]));
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1000);
    await expectAlive();
    agent.destroy();
  });
});

describe('request smuggling', () => {
  const body = '{"a":1}';
  const rows = [
    { name: 'Transfer-Encoding and Content-Length', extra: 'Transfer-Encoding: chunked\r\nContent-Length: 7\r\n' },
    { name: 'Content-Length and Transfer-Encoding', extra: 'Content-Length: 7\r\nTransfer-Encoding: chunked\r\n' },
    { name: 'two lengths', extra: 'Content-Length: 7\r\nContent-Length: 8\r\n' },
    { name: 'a length twice in one', extra: 'Content-Length: 7, 8\r\n' },
    { name: 'a negative length', extra: 'Content-Length: -7\r\n' },
    { name: 'an obfuscated encoding', extra: 'Transfer-Encoding: xchunked\r\n' },
    { name: 'a folded header', extra: 'Content-Length: 7\r\nX-A: b\r\n c\r\n' },
    { name: 'a space before the colon', extra: 'Content-Length : 7\r\n' },
    { name: 'bare line feeds', extra: 'Content-Length: 7\n' },
    { name: 'a NUL in a header', extra: 'Content-Length: 7\r\nX-A: \0\r\n' },
  ];
  for (const { name, extra } of rows) {
    it(`${name}: refused, and the connection closed`, async () => {
      const before = sink.received.length;
      const reply = await sendRaw(adapter.port, [head(signedHeaders(body), extra), body]);
      expect(reply).toMatch(/^HTTP\/1\.1 400 /);
      expect(reply.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(sink.received).toHaveLength(before);
      await expectAlive();
    });
  }

  const otherTypes = ['text/plain', 'application/json', 'application/x-www-form-urlencoded'];
  for (const first of ['application/json', 'application/json; charset=utf-8', 'Application/JSON;a=b']) {
    for (const second of otherTypes) {
      it(`two content types, ${first} and ${second}: refused`, async () => {
        const { 'Content-Type': _type, ...rest } = signedHeaders(body, { Connection: 'close' });
        const both = `Content-Type: ${first}\r\ncontent-type: ${second}\r\nContent-Length: 7\r\n`;
        expect(await sendRaw(adapter.port, [head(rest, both), body])).toMatch(/^HTTP\/1\.1 415 /);
      });
    }
  }
});
