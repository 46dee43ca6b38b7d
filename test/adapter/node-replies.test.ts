import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aRoute } from '../support/builders.ts';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { sendRaw } from '../support/post.ts';
import { TestAdapter } from '../support/test-adapter.ts';

const PATH = '/hooks/0a1b2c3d';
let sink: FakeSink;
let adapter: TestAdapter;

beforeAll(async () => {
  sink = await FakeSink.start();
  adapter = await TestAdapter.start([aRoute({ sink: { url: sink.url() } })]);
});
afterAll(async () => {
  await adapter.stop();
  await sink.close();
});
beforeEach(() => adapter.lines.splice(0));

const { headers, body } = aDelivery();

function head(requestLine: string, extra: Readonly<Record<string, string>>): string {
  const all = { Host: 'x', ...headers, 'Content-Length': String(body.length), ...extra };
  return `${requestLine} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
}

/** The status of every reply, and the outcomes that were logged. */
async function outcomeOf(...parts: (string | Buffer)[]): Promise<{ statuses: string[]; outcomes: unknown[] }> {
  const text = await sendRaw(adapter.port, parts);
  return {
    statuses: Array.from(text.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status ?? ''),
    outcomes: adapter.lines.map(({ outcome }) => outcome),
  };
}

describe('CONNECT is answered like any other method', () => {
  for (const target of ['example.com:443', PATH.slice(1)]) {
    it(`to ${target}: 404`, async () => {
      const connectHead = `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
      expect(await outcomeOf(connectHead)).toEqual({ statuses: ['404'], outcomes: ['unknown-path'] });
    });
  }

  it('a client that resets its connection harms nobody', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(adapter.port, '127.0.0.1', () => {
        socket.write('CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n', () => socket.resetAndDestroy());
      });
      socket.once('close', () => resolve());
    });
    expect((await post(adapter, aDelivery())).text).toBe('kept\n');
  });
});

describe('Expect', () => {
  const expecting = { Expect: '100-continue' };
  const post100 = (path: string, extra: Readonly<Record<string, string>>) =>
    head(`POST ${path}`, { ...expecting, ...extra });
  const refusals = [
    { name: 'an unknown path', text: post100('/hooks/other', {}), status: '404', outcome: 'unknown-path' },
    {
      name: 'a body that is too large',
      text: post100(PATH, { 'Content-Length': '999999999' }),
      status: '413',
      outcome: 'too-large',
    },
    { name: 'no signature', text: post100(PATH, { 'X-Hub-Signature-256': '' }), status: '401', outcome: 'unsigned' },
  ];
  for (const { name, text, status, outcome } of refusals) {
    it(`100-continue with ${name}: ${status} instead of 100, and the connection ends`, async () => {
      const reply = await sendRaw(adapter.port, [text]);
      expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*^connection: close\r$`, 'im'));
      expect(adapter.lines.map((line) => line['outcome'])).toEqual([outcome]);
    });
  }

  it('100-continue is answered before the body is read', async () => {
    const { statuses, outcomes } = await outcomeOf(post100(PATH, { Connection: 'close' }), body);
    expect({ statuses, outcomes }).toEqual({ statuses: ['100', '202'], outcomes: ['kept'] });
  });

  it('something nobody knows is ignored', async () => {
    const delivery = aDelivery();
    const lines = { ...delivery.headers, Expect: 'foo', Connection: 'close' };
    expect(await outcomeOf(head(`POST ${PATH}`, lines), delivery.body)).toEqual({
      statuses: ['202'],
      outcomes: ['kept'],
    });
  });
});

describe('a target that is a whole URL', () => {
  const rows = [
    { target: `http://example.com${PATH}`, status: '202' },
    { target: `HTTPS://example.com:8443/prefix${PATH}?a=b`, status: '202' },
    { target: `http:/${PATH}`, status: '404' },
    { target: 'http://example.com', status: '404' },
    { target: `http://example.com?${PATH}`, status: '404' },
  ];
  for (const { target, status } of rows) {
    it(`${target}: ${status}`, async () => {
      const delivery = aDelivery();
      const lines = { ...delivery.headers, Connection: 'close' };
      expect((await outcomeOf(head(`POST ${target}`, lines), delivery.body)).statuses).toEqual([status]);
    });
  }
});
