import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonLine } from '../../dump/format.ts';
import { REQUIRED, REQUIRED_MEMBERS, TestDumper } from '../support/test-dumper.ts';

let dumper: TestDumper;
beforeAll(async () => {
  dumper = await TestDumper.start();
});
afterAll(() => dumper.stop());

const JSON_TYPE = 'application/json';
const bytes = (...values: number[]) => Buffer.from(values);

/** The line of an event, checked to be one line of JSON that tells the data's length and digest. */
function checkedLine(line: string, data: Buffer): string {
  expect(line).not.toContain('\n');
  const { headwater } = JSON.parse(line) as { headwater: object };
  expect(headwater).toMatchObject({
    dataBytes: data.length,
    dataSha256: createHash('sha256').update(data).digest('hex'),
  });
  return line;
}

/** What the line ends with: the data is its last member. */
const base64Of = (data: Buffer) => `,"data_base64":"${data.toString('base64')}"}`;

/** Where a case has no `shown`, its data stand in the line as Base64. */
describe('binary mode: the data are the bytes received, and JSON stands in the line token for token', () => {
  const cases: { name: string; type?: string; data: string | Buffer; shown?: string }[] = [
    {
      name: '1.0, an integer beyond 2^53 and a duplicate key',
      type: JSON_TYPE,
      data: '{"a":1.0,"n":12345678901234567890,"a":2}',
      shown: '{"a":1.0,"n":12345678901234567890,"a":2}',
    },
    {
      name: 'JSON over several lines',
      type: JSON_TYPE,
      data: ' {\r\n\t"a" : [1,\n 2]\n}\n',
      shown: '{   "a" : [1,  2] }',
    },
    { name: 'escapes in strings', type: JSON_TYPE, data: '["\\/\\n\\u00e9"]', shown: '["\\/\\n\\u00e9"]' },
    {
      name: 'characters that act on a terminal',
      type: JSON_TYPE,
      data: '["\u007f\u009b1m\u2028\u202e"]',
      shown: '["\\u007f\\u009b1m\\u2028\\u202e"]',
    },
    { name: 'a number', type: JSON_TYPE, data: '1.0', shown: '1.0' },
    { name: 'data of no type', data: '{"a":1.0}', shown: '{"a":1.0}' },
    { name: 'a +json type with a parameter', type: 'application/vnd.x+JSON; v=1', data: '[1.0]', shown: '[1.0]' },
    { name: 'text that is no JSON', type: JSON_TYPE, data: '{"a":' },
    { name: 'a byte order mark before JSON', type: JSON_TYPE, data: '\ufeff{}' },
    {
      name: 'invalid UTF-8 in JSON',
      type: JSON_TYPE,
      data: Buffer.concat([Buffer.from('{"a":"'), bytes(0xff, 0xfe, 0xc3), Buffer.from('"}')]),
    },
    { name: 'JSON that is called text', type: 'text/plain', data: '{"a":1}' },
    { name: 'a type that only begins like JSON', type: 'application/json-seq', data: '{"a":1}' },
    { name: 'a parameter that ends like JSON', type: 'text/plain; x=a/json', data: '1' },
    {
      name: 'every byte',
      type: 'application/octet-stream',
      data: Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)),
    },
  ];
  for (const { name, type, data, shown } of cases) {
    it(name, async () => {
      const sent = Buffer.from(data);
      const event = await dumper.receive({ ...REQUIRED, ...(type && { 'content-type': type }) }, sent);
      expect(event.data?.equals(sent)).toBe(true);
      const line = checkedLine(jsonLine(event), sent);
      expect(line.endsWith(shown === undefined ? base64Of(sent) : `,"data":${shown}}`)).toBe(true);
    });
  }
});

describe('structured mode', () => {
  const cases: { name: string; members: string; data: string | Buffer; shown?: string }[] = [
    { name: '1.0', members: '"data":1.0', data: '1.0', shown: '1.0' },
    {
      name: 'an integer beyond 2^53',
      members: '"data":12345678901234567890',
      data: '12345678901234567890',
      shown: '12345678901234567890',
    },
    {
      name: 'numbers within',
      members: '"data": {"a": [1e2, -0.0, 1.50]}',
      data: '{"a":[1e2,-0.0,1.50]}',
      shown: '{"a":[1e2,-0.0,1.50]}',
    },
    { name: 'a string', members: '"data":"x"', data: '"x"', shown: '"x"' },
    { name: 'half a surrogate pair', members: '"data":"\\ud800"', data: '"\\ud800"', shown: '"\\ud800"' },
    { name: 'null', members: '"data":null', data: 'null', shown: 'null' },
    { name: 'text', members: '"datacontenttype":"text/plain","data":"a\\nü"', data: 'a\nü' },
    {
      name: 'text of a type that only begins like JSON',
      members: '"datacontenttype":"application/json-seq","data":"1"',
      data: '1',
    },
    {
      name: 'an object of a type that is not JSON',
      members: '"datacontenttype":"text/xml","data":{"a":1.0}',
      data: '{"a":1.0}',
    },
    {
      name: 'Base64, octet by octet',
      members: '"datacontenttype":"image/png","data_base64":"AP+ACv8="',
      data: bytes(0x00, 0xff, 0x80, 0x0a, 0xff),
    },
    { name: 'Base64 of JSON', members: '"data_base64":"eyJhIjoxLjB9"', data: '{"a":1.0}', shown: '{"a":1.0}' },
    { name: 'Base64 of nothing', members: '"data_base64":""', data: '' },
    {
      name: 'Base64 beside data of null',
      members: '"data":null,"data_base64":"/w=="',
      data: bytes(0xff),
    },
  ];
  for (const { name, members, data, shown } of cases) {
    for (const { mode, write } of [
      { mode: 'application/cloudevents+json', write: (document: string) => document },
      { mode: 'application/cloudevents-batch+json; charset=utf-8', write: (document: string) => `[${document}]` },
    ]) {
      it(`${name}, ${mode}`, async () => {
        const document = `${JSON.stringify(REQUIRED_MEMBERS).slice(0, -1)},${members}}`;
        const event = await dumper.receive({ 'content-type': mode }, write(document));
        const expected = Buffer.from(data);
        expect(event.data).toEqual(expected);
        const line = checkedLine(jsonLine(event), expected);
        expect(line.endsWith(shown === undefined ? base64Of(expected) : `,"data":${shown}}`)).toBe(true);
      });
    }
  }
});

it('an event without data has no data in its line', async () => {
  const line = JSON.parse(jsonLine(await dumper.receive(REQUIRED))) as { headwater: object };
  expect(line).toEqual({ ...REQUIRED_MEMBERS, headwater: { mode: 'binary', receivedAt: expect.any(String) } });
});
