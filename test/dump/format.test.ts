import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Mode, ReceivedEvent } from '../../dump/event.ts';
import { jsonLine, pretty, printable } from '../../dump/format.ts';

/** By code, not by the categories the code uses: C0, DEL, C1, line separators, writing direction, halves of pairs. */
function isDangerous(codePoint: number): boolean {
  const ranges: readonly (readonly [number, number])[] = [
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0x061c, 0x061c],
    [0x200e, 0x200f],
    [0x2028, 0x202e],
    [0x2066, 0x2069],
    [0xd800, 0xdfff],
  ];
  return ranges.some(([first, last]) => codePoint >= first && codePoint <= last);
}

function dangersIn(text: string): string[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0)
    .filter(isDangerous)
    .map((codePoint) => `U+${codePoint.toString(16)}`);
}

function anEvent(more: {
  label?: unknown;
  type?: string;
  data?: Buffer;
  mode?: Mode;
  contentType?: string;
}): ReceivedEvent {
  const { label, type = 'a.b', data, mode = 'binary', contentType } = more;
  const attributes = {
    specversion: '1.0',
    id: '1',
    source: '/s',
    type,
    ...(label !== undefined && { label }),
    ...(contentType !== undefined && { datacontenttype: contentType }),
  };
  return { mode, attributes, data, receivedAt: new Date('2026-01-02T03:04:05.678Z') };
}

const ALL = { dataLines: undefined, colour: false };

/** Any UTF-16, often with what is dangerous, also percent-encoded. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.integer({ min: 0, max: 0xff }).map((octet) => `%${octet.toString(16).padStart(2, '0')}`),
      fc.constantFrom(
        '\x1b[31m',
        '\x1b]0;x\x07',
        '\r\n',
        '\0',
        '\u202e',
        '\u2028',
        '\u009b',
        '%E2%80%AE',
        '%C2%9B',
        '%1B[2J',
      ),
    ),
  )
  .map((parts) => parts.join(''));
const anyJson = fc
  .tuple(fc.jsonValue({ stringUnit: anyText }), fc.constantFrom(undefined, 2, '\t'))
  .map(([value, space]) => Buffer.from(JSON.stringify(value, null, space)));
const anyData = fc.option(
  fc.oneof(
    anyJson,
    anyText.map((text) => Buffer.from(text)),
    fc.uint8Array().map((octets) => Buffer.from(octets)),
  ),
  { nil: undefined },
);
const anyEvent = fc
  .record({
    label: fc.oneof(anyText, fc.jsonValue({ stringUnit: anyText })),
    type: anyText,
    data: anyData,
    mode: fc.constantFrom<Mode>('binary', 'structured', 'batched'),
    contentType: fc.option(fc.oneof(fc.constant('application/json'), anyText), { nil: undefined }),
  })
  .map(({ data, contentType, ...rest }) =>
    anEvent({ ...rest, ...(data !== undefined && { data }), ...(contentType !== undefined && { contentType }) }),
  );

describe('nothing from outside can act on a terminal', () => {
  it('in the readable form, whose own line breaks are all there are', () => {
    fc.assert(
      fc.property(anyEvent, fc.option(fc.nat(9), { nil: undefined }), (event, dataLines) => {
        expect(dangersIn(pretty(event, { dataLines, colour: false }).replaceAll('\n', ''))).toEqual([]);
      }),
      { numRuns: 1000 },
    );
  });

  it('in the readable form with colours, which are ours alone', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(stripVTControlCharacters(pretty(event, { ...ALL, colour: true }))).toBe(pretty(event, ALL));
      }),
      { numRuns: 300 },
    );
  });

  it('in a line of JSON, which says the same as the event', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const line = jsonLine(event);
        expect(dangersIn(line)).toEqual([]);
        const { headwater: _receipt, ...told } = JSON.parse(line) as Record<string, unknown>;
        const { data } = event;
        const asJson = 'data' in told ? { data: JSON.parse(String(data)) } : { data_base64: data?.toString('base64') };
        expect(told).toEqual({ ...JSON.parse(JSON.stringify(event.attributes)), ...asJson });
      }),
      { numRuns: 1000 },
    );
  });

  const cases = [
    { name: 'a colour', text: '\x1b[31mred', shown: '\\u001b[31mred' },
    { name: 'a window title', text: '\x1b]0;title\x07', shown: '\\u001b]0;title\\u0007' },
    { name: 'the C1 introducer', text: '\u009b2J', shown: '\\u009b2J' },
    { name: 'a carriage return', text: 'ok\rno', shown: 'ok\\u000dno' },
    { name: 'a line feed', text: 'a\nb', shown: 'a\\u000ab' },
    { name: 'a tab', text: 'a\tb', shown: 'a\\u0009b' },
    { name: 'NUL and DEL', text: '\0\x7f', shown: '\\u0000\\u007f' },
    { name: 'the separators of Unicode', text: '\u2028\u2029\u0085', shown: '\\u2028\\u2029\\u0085' },
    { name: 'an override of direction', text: 'a\u202eb\u2066c', shown: 'a\\u202eb\\u2066c' },
    { name: 'marks of direction', text: '\u061c\u200e\u200f', shown: '\\u061c\\u200e\\u200f' },
    { name: 'halves of surrogate pairs', text: '\ud800x\udc00', shown: '\\ud800x\\udc00' },
    { name: 'harmless text', text: 'ü€😀 אב\u200d%\\', shown: 'ü€😀 אב\u200d%\\' },
  ];
  for (const { name, text, shown } of cases) {
    it(`escapes ${name}`, () => {
      expect(printable(text)).toBe(shown);
      const event = anEvent({ label: text, mode: 'structured' });
      expect(pretty(event, ALL)).toContain(`   label   ${shown}\n`);
      expect(JSON.parse(jsonLine(event))).toMatchObject({ label: text });
    });
  }
});

describe('the readable form', () => {
  it('shows attributes in a column and JSON over several lines', () => {
    const data = Buffer.from('{"a":1.0,"a":[]}');
    const event = anEvent({ label: '', data, contentType: 'application/json' });
    expect(pretty(event, ALL)).toBe(
      [
        '☁  a.b',
        '   id      1',
        '   source  /s',
        '   label   ',
        '   data    application/json, 16 bytes, sha256 2f9ec9956be187fb3c4638aeac3283b84c95b857f01ffb06feddc948100d6178',
        '     {',
        '       "a": 1.0,',
        '       "a": []',
        '     }',
        '',
      ].join('\n'),
    );
  });

  it('says that there is no data', () => {
    expect(pretty(anEvent({}), ALL)).toContain('   data    none\n');
  });

  it('counts the lines it leaves out', () => {
    const event = anEvent({ data: Buffer.from('1\n2\n3\n4'), contentType: 'text/plain' });
    expect(pretty(event, { dataLines: 2, colour: false })).toMatch(
      /\n {5}1\n {5}2\n {5}… 2 more lines \(--full shows them\)\n$/,
    );
    expect(pretty(event, { dataLines: 4, colour: false })).toMatch(/\n {5}4\n$/);
    expect(pretty(event, ALL)).toMatch(/\n {5}4\n$/);
  });

  it('does not widen the column for one long name', () => {
    const event = { ...anEvent({}), attributes: { ...anEvent({}).attributes, ['n'.repeat(1000)]: 'x' } };
    expect(pretty(event, ALL)).toContain(`   id${' '.repeat(18)}  1\n`);
  });

  it('bears as many attributes and as deep data as a document can hold', () => {
    const many = Object.fromEntries(Array.from({ length: 200_000 }, (_, index) => [`a${index}`, 1]));
    const data = Buffer.from(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    const event = { ...anEvent({ data }), attributes: { ...anEvent({}).attributes, ...many } };
    expect(pretty(event, { dataLines: 1, colour: false })).toContain('\n   a199999');
    expect(jsonLine(event)).toContain('"a199999":1');
  });
});
