import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { textOfHeader } from '../../core/cloud-event.ts';
import { simulator } from '../../sources/github/simulator.ts';
import { aRoute, SECRET } from '../support/builders.ts';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { send, sendRaw } from '../support/post.ts';
import { TestAdapter } from '../support/test-adapter.ts';

const PATH = '/hooks/0a1b2c3d';
let sink: FakeSink;
let adapter: TestAdapter;

beforeAll(async () => {
  sink = await FakeSink.start();
  adapter = await TestAdapter.start([aRoute({ sink: { url: sink.url() }, delivery: { retry: 0 } })]);
});
afterAll(async () => {
  await adapter.stop();
  await sink.close();
});
afterEach(() => sink.answerWith(202));

describe('signatures', () => {
  const body = '{"action":"opened","issue":{"number":7}}';
  const hmac = (algorithm: string, secret: string, text = body) =>
    createHmac(algorithm, secret).update(text).digest('hex');
  const good = `sha256=${hmac('sha256', SECRET)}`;
  const sha1 = `sha1=${hmac('sha1', SECRET)}`;
  const bad = `sha256=${'0'.repeat(64)}`;
  const reserialised = `sha256=${hmac('sha256', SECRET, JSON.stringify(JSON.parse(body), null, 1))}`;
  const rows: { name: string; lines: readonly string[]; status: number }[] = [
    { name: 'right', lines: [`X-Hub-Signature-256: ${good}`], status: 202 },
    { name: 'right, in another case of the name', lines: [`x-hub-SIGNATURE-256: ${good}`], status: 202 },
    { name: 'right, with white space around', lines: [`X-Hub-Signature-256: \t ${good} `], status: 202 },
    {
      name: 'right, with a wrong SHA-1 beside it',
      lines: [`X-Hub-Signature-256: ${good}`, 'X-Hub-Signature: sha1=00'],
      status: 202,
    },
    { name: 'missing', lines: [], status: 401 },
    { name: 'empty', lines: ['X-Hub-Signature-256:'], status: 401 },
    { name: 'only its prefix', lines: ['X-Hub-Signature-256: sha256='], status: 401 },
    { name: 'three characters', lines: ['X-Hub-Signature-256: sha'], status: 401 },
    { name: 'four hex digits', lines: ['X-Hub-Signature-256: sha256=abcd'], status: 401 },
    { name: 'one digit short', lines: [`X-Hub-Signature-256: ${good.slice(0, -1)}`], status: 401 },
    { name: 'one digit more', lines: [`X-Hub-Signature-256: ${good}0`], status: 401 },
    { name: 'upper-case hex', lines: [`X-Hub-Signature-256: sha256=${good.slice(7).toUpperCase()}`], status: 401 },
    { name: 'an upper-case prefix', lines: [`X-Hub-Signature-256: SHA256=${good.slice(7)}`], status: 401 },
    { name: 'not hex', lines: [`X-Hub-Signature-256: sha256=${'z'.repeat(64)}`], status: 401 },
    { name: 'white space inside', lines: [`X-Hub-Signature-256: sha256= ${good.slice(7)}`], status: 401 },
    { name: 'another prefix', lines: [`X-Hub-Signature-256: sha512=${good.slice(7)}`], status: 401 },
    { name: 'without prefix', lines: [`X-Hub-Signature-256: ${good.slice(7)}`], status: 401 },
    {
      name: 'twice, good and bad',
      lines: [`X-Hub-Signature-256: ${good}`, `X-Hub-Signature-256: ${bad}`],
      status: 401,
    },
    {
      name: 'twice the good one',
      lines: [`X-Hub-Signature-256: ${good}`, `X-Hub-Signature-256: ${good}`],
      status: 401,
    },
    { name: 'joined by a comma', lines: [`X-Hub-Signature-256: ${bad}, ${good}`], status: 401 },
    { name: 'SHA-1 alone', lines: [`X-Hub-Signature: ${sha1}`], status: 401 },
    {
      name: 'SHA-1 right, SHA-256 wrong',
      lines: [`X-Hub-Signature: ${sha1}`, `X-Hub-Signature-256: ${bad}`],
      status: 401,
    },
    { name: 'SHA-256 under the name of SHA-1', lines: [`X-Hub-Signature: ${good}`], status: 401 },
    { name: 'under a name alike', lines: [`Signature: ${good}`, `Signature-256: ${good}`], status: 401 },
    { name: 'with an empty secret', lines: [`X-Hub-Signature-256: sha256=${hmac('sha256', '')}`], status: 401 },
    { name: 'over the document written again', lines: [`X-Hub-Signature-256: ${reserialised}`], status: 401 },
  ];
  for (const [index, { name, lines, status }] of rows.entries()) {
    it(`${name}: ${status}`, async () => {
      const before = sink.received.length;
      const fixed = `Host: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
      const event = `X-GitHub-Event: issues\r\nX-GitHub-Delivery: signature-${index}\r\n`;
      const own = lines.map((line) => `${line}\r\n`).join('');
      const reply = await sendRaw(adapter.port, [`POST ${PATH} HTTP/1.1\r\n${fixed}${event}${own}\r\n${body}`]);
      expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(sink.received).toHaveLength(before + (status === 202 ? 1 : 0));
    });
  }

  it('over bytes that are not UTF-8: right', async () => {
    const payload = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0x80, 0xff]), Buffer.from('"}')]);
    expect((await post(adapter, aDelivery({ payload }))).text).toBe('kept\n');
    expect(sink.received.at(-1)?.body.equals(payload)).toBe(true);
  });

  it('over a body that a proxy wrote again: 401', async () => {
    const delivery = simulator.deliver({ eventType: 'issues', payload: { a: 1 }, form: 'indented' }, SECRET);
    const rewritten = Buffer.from(JSON.stringify(JSON.parse(delivery.body.toString())));
    const headers = { ...delivery.headers };
    expect((await send(adapter.url(PATH), { headers, body: rewritten })).status).toBe(401);
  });
});

describe('events', () => {
  const rows: {
    name: string;
    eventType: string;
    payload: Record<string, unknown>;
    attributes: Record<string, string>;
  }[] = [
    {
      name: 'nobody knows yet',
      eventType: 'brand_new_thing',
      payload: { action: 'done' },
      attributes: { action: 'done' },
    },
    {
      name: 'with an action nobody knows',
      eventType: 'issues',
      payload: { action: 'teleported', issue: { number: 3 } },
      attributes: { action: 'teleported', subject: '3' },
    },
    { name: 'ping', eventType: 'ping', payload: { hook_id: 12, zen: 'x' }, attributes: { subject: '12', owner: '' } },
    {
      name: 'installation of an App',
      eventType: 'installation',
      payload: { action: 'suspend', installation: { id: 4 } },
      attributes: { installation: '4', action: 'suspend' },
    },
    {
      name: 'of a repository that is gone',
      eventType: 'push',
      payload: { repository: null, ref: 'refs/heads/x' },
      attributes: { repository: '', ref: 'refs/heads/x' },
    },
    {
      name: 'of a repository that moved',
      eventType: 'issues',
      payload: { action: 'x', repository: { name: 'new', owner: { login: 'elsewhere' } } },
      attributes: { owner: 'elsewhere', repository: 'new' },
    },
    {
      name: 'of a pull request from a fork',
      eventType: 'pull_request',
      payload: { number: 1, pull_request: { number: 1, head: { repo: null } } },
      attributes: { number: '1' },
    },
  ];
  for (const { name, eventType, payload, attributes } of rows) {
    it(name, async () => {
      const delivery = aDelivery({ eventType, payload });
      expect((await post(adapter, delivery)).text).toBe('kept\n');
      const headers = sink.received.at(-1)?.headers;
      expect(headers).toMatchObject(
        Object.fromEntries(Object.entries(attributes).map(([key, value]) => [`ce-${key}`, value])),
      );
      expect(headers?.['ce-type']).toBe(`dev.knative.source.github.${eventType}`);
    });
  }
});

describe('values that become attributes', () => {
  const rows: { name: string; text: string; arrives?: string }[] = [
    { name: 'spaces', text: 'good first issue' },
    { name: 'quotes and percent signs', text: 'ü €uro 100% "q" %41' },
    { name: 'emoji', text: '🦊🐶 :bug:' },
    { name: 'right to left', text: 'שלום \u202eevil' },
    { name: 'tab', text: 'a\tb' },
    { name: '64 kB', text: 'x'.repeat(65_536) },
    { name: 'CR LF and a header', text: 'a\r\nCe-Type: evil\r\n\r\n', arrives: 'a%0D%0ACe-Type: evil%0D%0A%0D%0A' },
    { name: 'NUL', text: 'a\0b', arrives: 'a%00b' },
    { name: 'escape', text: '\u001b[31m', arrives: '%1B[31m' },
    { name: '%0d%0a already encoded', text: 'a%0d%0ab' },
    { name: 'next line (C1)', text: 'a\u0085b' },
    { name: 'a line separator', text: 'a\u2028b' },
  ];
  for (const { name, text, arrives = text } of rows) {
    it(name, async () => {
      const payload = { action: text, issue: { number: 7 }, label: { name: text }, sender: { login: text } };
      const delivery = aDelivery({ payload });
      expect((await post(adapter, delivery)).text).toBe('kept\n');
      const received = sink.received.at(-1);
      for (const attribute of ['ce-action', 'ce-label', 'ce-sender']) {
        expect(textOfHeader(String(received?.headers[attribute]))).toBe(arrives);
      }
      expect(received?.rawHeaders.filter((field) => field.toLowerCase() === 'ce-type')).toHaveLength(1);
      expect(received?.headers['ce-type']).toBe('dev.knative.source.github.issues');
      expect(received?.body.equals(delivery.data)).toBe(true);
    });
  }

  it('names of attributes never come from a payload', async () => {
    await post(
      adapter,
      aDelivery({ payload: { 'x\r\nce-evil': '1', evil: '2', action: 'opened', issue: { number: 7 } } }),
    );
    const names = Object.keys(sink.received.at(-1)?.headers ?? {}).filter((field) => field.startsWith('ce-'));
    expect(names.toSorted()).toEqual(
      ['action', 'id', 'owner', 'repository', 'sender', 'source', 'specversion', 'subject', 'time', 'type'].map(
        (field) => `ce-${field}`,
      ),
    );
  });
});

it('ce- headers of the provider do not reach the sink', async () => {
  const { headers, body, id } = aDelivery();
  const evil = {
    ...headers,
    'ce-type': 'evil',
    'ce-id': 'evil',
    'ce-evil': 'evil',
    'Kn-Namespace': 'kube-system',
    Authorization: 'x',
  };
  expect((await send(adapter.url(PATH), { headers: evil, body })).status).toBe(202);
  const received = sink.received.at(-1)?.headers;
  expect(received).toMatchObject({
    'ce-id': id,
    'ce-type': 'dev.knative.source.github.issues',
    'kn-namespace': 'demo',
  });
  expect(JSON.stringify(received)).not.toMatch(/evil|kube-system|authorization/);
});

describe('paths', () => {
  const unknown = [
    '/',
    '//',
    '/hooks',
    '/hooks/',
    `${PATH}/`,
    `${PATH}//`,
    '/hooks/..',
    `/hooks/%30a1b2c3d`,
    '/HOOKS/0a1b2c3d',
    `${PATH}/../0a1b2c3d`,
    '/hooks/0A1B2C3D',
    '/hooks/%zz',
    '/hooks/%00',
    '*',
    `/hooks//0a1b2c3d`,
  ];
  for (const path of unknown) {
    it(`${path}: 404`, async () => {
      const { headers, body } = aDelivery();
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const reply = await sendRaw(adapter.port, [
        `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n${lines.join('')}\r\n`,
        body,
      ]);
      expect(reply).toMatch(/^HTTP\/1\.1 404 /);
    });
  }

  it('a path of 1 MB: refused, the connection closed', async () => {
    expect(await sendRaw(adapter.port, [`POST /${'x'.repeat(1_000_000)} HTTP/1.1\r\nHost: x\r\n\r\n`])).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect((await post(adapter, aDelivery())).status).toBe(202);
  });
});
