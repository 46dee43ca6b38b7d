import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { send, sendRaw } from '../support/post.ts';
import { REQUIRED, REQUIRED_MEMBERS, TestDumper } from '../support/test-dumper.ts';

const MEBIBYTE = 1024 * 1024;
const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const document = JSON.stringify({ ...REQUIRED_MEMBERS, data: { a: 1 } });

let dumper: TestDumper;
beforeEach(async () => {
  dumper = await TestDumper.start();
});
afterEach(() => dumper.stop());

describe('takes CloudEvents', () => {
  const data = { data: '{"a":1}' };
  const none = { data: undefined };
  const binary = { mode: 'binary', attributes: REQUIRED_MEMBERS };
  const structured = { mode: 'structured', attributes: REQUIRED_MEMBERS };
  const batched = { mode: 'batched', attributes: REQUIRED_MEMBERS };
  const cases = [
    {
      name: 'binary',
      type: 'application/json',
      body: '{"a":1}',
      events: [{ ...binary, attributes: { ...REQUIRED_MEMBERS, datacontenttype: 'application/json' }, ...data }],
    },
    { name: 'binary, with data of no type', body: '{"a":1}', events: [{ ...binary, ...data }] },
    { name: 'binary, without data', events: [{ ...binary, ...none }] },
    {
      name: 'binary, with a type and no data',
      type: 'text/plain',
      events: [{ ...binary, attributes: { ...REQUIRED_MEMBERS, datacontenttype: 'text/plain' }, ...none }],
    },
    {
      name: 'binary, with an empty extension',
      headers: { 'ce-label': '', 'ce-action': 'opened' },
      events: [{ ...binary, attributes: { ...REQUIRED_MEMBERS, label: '', action: 'opened' }, ...none }],
    },
    { name: 'structured', type: STRUCTURED, body: document, events: [{ ...structured, ...data }] },
    {
      name: 'structured, with a charset',
      type: `${STRUCTURED}; charset=utf-8`,
      body: document,
      events: [{ ...structured, ...data }],
    },
    {
      name: 'structured, in capitals',
      type: `${STRUCTURED.toUpperCase()};charset=UTF-8`,
      body: document,
      events: [{ ...structured, ...data }],
    },
    {
      name: 'structured, without data',
      type: STRUCTURED,
      body: JSON.stringify(REQUIRED_MEMBERS),
      events: [{ ...structured, ...none }],
    },
    {
      name: 'structured, with an empty extension and an attribute of null',
      type: STRUCTURED,
      body: JSON.stringify({ ...REQUIRED_MEMBERS, label: '', subject: null }),
      events: [{ ...structured, attributes: { ...REQUIRED_MEMBERS, label: '', subject: null }, ...none }],
    },
    {
      name: 'batched',
      type: BATCH,
      body: `[${document}, ${JSON.stringify({ ...REQUIRED_MEMBERS, id: '2' })}]`,
      events: [
        { ...batched, ...data },
        { ...batched, attributes: { ...REQUIRED_MEMBERS, id: '2' }, ...none },
      ],
    },
    {
      name: 'batched, with a charset',
      type: `${BATCH}; charset=utf-8`,
      body: `[${document}]`,
      events: [{ ...batched, ...data }],
    },
    { name: 'batched, none', type: BATCH, body: '[]', events: [] },
  ];
  for (const { name, type, headers = {}, body, events } of cases) {
    it(name, async () => {
      const attributes = type === undefined || !type.toLowerCase().includes('cloudevents') ? REQUIRED : {};
      const contentType = type === undefined ? {} : { 'content-type': type };
      const reply = await dumper.post({ ...attributes, ...headers, ...contentType }, body);
      expect(reply).toMatchObject({ status: 202, text: '' });
      expect(
        dumper.events.map(({ mode, attributes: read, data: bytes }) => ({
          mode,
          attributes: read,
          data: bytes?.toString(),
        })),
      ).toEqual(events);
      expect(dumper.refused).toEqual([]);
    });
  }
});

describe('limits', () => {
  const octets = { ...REQUIRED, 'content-type': 'application/octet-stream' };

  it('takes an attribute of 200 KB', async () => {
    const label = 'x'.repeat(200_000);
    const event = await dumper.receive({ ...REQUIRED, 'ce-label': label });
    expect(event.attributes).toEqual({ ...REQUIRED_MEMBERS, label });
  });

  it('takes 1 MiB of headers and refuses more', async () => {
    const event = await dumper.receive({ ...REQUIRED, 'ce-label': 'x'.repeat(MEBIBYTE) });
    expect(event.attributes['label']).toHaveLength(MEBIBYTE);
    const reply = await dumper.post({ ...REQUIRED, 'ce-label': 'x'.repeat(MEBIBYTE + 8192) });
    expect(reply.status).toBe(431);
    expect(dumper.events).toHaveLength(1);
  });

  it('takes 3000 attributes', async () => {
    const labels = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`ce-label${index}`, String(index)]));
    const { attributes } = await dumper.receive({ ...REQUIRED, ...labels });
    expect(Object.keys(attributes)).toHaveLength(3004);
  });

  it('takes a body of 32 MiB', async () => {
    const event = await dumper.receive(octets, Buffer.alloc(32 * MEBIBYTE, 1));
    expect(event.data).toHaveLength(32 * MEBIBYTE);
  });

  it('answers 413 to a longer body that is announced, and says why', async () => {
    const headers = Object.entries({ ...octets, 'content-length': 32 * MEBIBYTE + 1 }).map(
      ([n, v]) => `${n}: ${v}\r\n`,
    );
    const reply = await sendRaw(dumper.port, [`POST / HTTP/1.1\r\nhost: x\r\n${headers.join('')}\r\n`]);
    expect(reply).toMatch(/^HTTP\/1\.1 413 .*Request body is too large\n$/s);
    expect(dumper.events).toEqual([]);
    expect(dumper.refused).toEqual(['Request body is too large']);
  });

  it('answers 413 to a longer body that comes in chunks', async () => {
    const status = await new Promise((resolve, reject) => {
      const call = request(dumper.url(), { method: 'POST', headers: octets }, (reply) => resolve(reply.statusCode));
      call.on('error', reject);
      // Without an end: the refusal comes before it.
      call.write(Buffer.alloc(32 * MEBIBYTE + 1));
    });
    expect(status).toBe(413);
    expect(dumper.events).toEqual([]);
  });
});

describe('paths', () => {
  for (const path of ['/', '/a/b?c=d', '/%zz', '/healthz']) {
    it(`takes events at ${path}`, async () => {
      expect(await dumper.post(REQUIRED, undefined, path)).toMatchObject({ status: 202 });
      expect(dumper.events).toHaveLength(1);
    });
  }

  for (const [path, text] of [
    ['/healthz', 'ok\n'],
    ['/', 'headwater dump: POST CloudEvents to any path here\n'],
  ] as const) {
    it(`answers GET ${path}`, async () => {
      expect(await send(dumper.url(path), { method: 'GET' })).toMatchObject({ status: 200, text });
      expect(dumper.events).toEqual([]);
    });
  }
});
