import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { REQUIRED, REQUIRED_MEMBERS, TestDumper } from '../support/test-dumper.ts';

const structured = { 'content-type': 'application/cloudevents+json' };
const batch = { 'content-type': 'application/cloudevents-batch+json' };
const names = ['id', 'source', 'type', 'specversion'];

interface Refusal {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly reason: string;
}

const documentOf = (more: object) => JSON.stringify({ ...REQUIRED_MEMBERS, ...more });

function refusedDocument(name: string, more: object, reason: string): Refusal {
  return { name: `structured: ${name}`, headers: structured, body: documentOf(more), reason };
}

const refusals: readonly Refusal[] = [
  {
    name: 'JSON that is no event',
    headers: { 'content-type': 'application/json' },
    body: '{"id":"1"}',
    reason: 'it has no id, source, type, specversion',
  },
  { name: 'nothing at all', headers: {}, reason: 'it has no ' },
  ...['', 'nonsense'].map((type) => ({
    name: `the Content-Type "${type}"`,
    headers: { ...REQUIRED, 'content-type': type },
    body: 'x',
    reason: 'Unsupported Media Type',
  })),
  {
    name: 'another format of events',
    headers: { 'content-type': 'application/cloudevents+avro' },
    body: 'x',
    reason: 'application/cloudevents+avro is not read here, only application/cloudevents+json and ',
  },
  {
    name: 'events of no format',
    headers: { 'content-type': 'application/cloudevents' },
    body: '{}',
    reason: 'application/cloudevents is not read here',
  },
  ...names.flatMap((missing) => {
    const { [`ce-${missing}`]: _header, ...headers } = REQUIRED as Readonly<Record<string, string>>;
    const body = documentOf({ [missing]: undefined });
    const reason = `it has no ${missing}`;
    return [
      { name: `binary without ${missing}`, headers, reason },
      { name: `binary with an empty ${missing}`, headers: { ...REQUIRED, [`ce-${missing}`]: '' }, reason },
      { name: `structured without ${missing}`, headers: structured, body, reason },
      { name: `batched without ${missing}`, headers: batch, body: `[${documentOf({})},${body}]`, reason },
    ];
  }),
  ...['0.3', '2.0'].map((version) => ({
    name: `specversion ${version}`,
    headers: { ...REQUIRED, 'ce-specversion': version },
    reason: 'its specversion is not 1.0',
  })),
  {
    name: 'a time that is none',
    headers: { ...REQUIRED, 'ce-time': 'yesterday' },
    reason: 'time must match format "date-time"',
  },
  {
    name: 'a source that is no URI reference',
    headers: { ...REQUIRED, 'ce-source': 'a b' },
    reason: 'source must match format "uri-reference"',
  },
  {
    name: 'an empty subject',
    headers: { ...REQUIRED, 'ce-subject': '' },
    reason: 'subject must NOT have fewer than 1 characters',
  },
  ...['', 'foo_bar', '__proto__', 'data', 'data_base64', 'data-1'].map((name) => ({
    name: `an attribute named "${name}"`,
    headers: { ...REQUIRED, [`ce-${name}`]: 'QUE=' },
    reason: `"${name}" is no name for an attribute`,
  })),
  refusedDocument('an attribute in capitals', { Label: 'x' }, '"Label" is no name for an attribute'),
  refusedDocument('an attribute that is a fraction', { label: 1.5 }, 'invalid extension value: 1.5'),
  refusedDocument('a time that is none', { time: 'yesterday' }, 'time must match format "date-time"'),
  refusedDocument('an id that is a number', { id: 5 }, 'id must be string'),
  refusedDocument('a specversion that is a number', { specversion: 1 }, 'its specversion is not 1.0'),
  refusedDocument('data twice', { data: 1, data_base64: 'AA==' }, 'an event has data or data_base64, not both'),
  ...['!!!', 'AA', 'AA==\n', 'AB==', 5, { a: 1 }].map((base64) =>
    refusedDocument(`data_base64 ${JSON.stringify(base64)}`, { data_base64: base64 }, 'data_base64 is not Base64'),
  ),
  { name: 'structured: no body', headers: structured, reason: 'the body is not JSON: ' },
  { name: 'structured: no JSON', headers: structured, body: '{"id":', reason: 'the body is not JSON: ' },
  {
    name: 'structured: no UTF-8',
    headers: structured,
    body: Buffer.from(documentOf({ label: 'ü' }), 'latin1'),
    reason: 'the body is not UTF-8',
  },
  ...['null', '1', '"x"', `[${documentOf({})}]`].map((body) => ({
    name: `structured: ${body.slice(0, 8)}`,
    headers: structured,
    body,
    reason: 'an event is a JSON object',
  })),
  { name: 'batched: an object', headers: batch, body: documentOf({}), reason: 'a batch is an array of events' },
  {
    name: 'batched: an event and a number',
    headers: batch,
    body: `[${documentOf({})},1]`,
    reason: 'an event is a JSON object',
  },
];

describe('answers 400 with the reason, and hands nothing on', () => {
  let dumper: TestDumper;
  beforeEach(async () => {
    dumper = await TestDumper.start();
  });
  afterEach(() => dumper.stop());

  for (const { name, headers, body, reason } of refusals) {
    it(name, async () => {
      const reply = await dumper.post(headers, body);
      expect(dumper.refused).toEqual([expect.stringContaining(reason)]);
      expect(reply).toMatchObject({ status: 400, text: `not a CloudEvent: ${dumper.refused[0]}\n` });
      expect(dumper.events).toEqual([]);
    });
  }
});
