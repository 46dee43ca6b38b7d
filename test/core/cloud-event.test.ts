import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerValueOf, percentDecoded, textOfHeader } from '../../core/cloud-event.ts';

describe('header values', () => {
  const rows: [text: string, octets: string][] = [
    ['good first issue', 'good first issue'],
    ['100% "q" %41', '100% "q" %41'],
    ['a\tb', 'a\tb'],
    ['', ''],
    ['ü €', '\u00c3\u00bc \u00e2\u0082\u00ac'],
    ['🦊', '\u00f0\u009f\u00a6\u008a'],
    ['a\r\nX-Evil: 1', 'a%0D%0AX-Evil: 1'],
    ['\u0000\u001b[2J\u007f', '%00%1B[2J%7F'],
    ['ü\n', '\u00c3\u00bc%0A'],
    ['\ud800', '\u00ef\u00bf\u00bd'],
  ];
  for (const [text, octets] of rows) {
    it(JSON.stringify(text), () => expect(headerValueOf(text)).toBe(octets));
  }

  it('come back as they were, unless they hold control characters', () => {
    const texts = fc
      .string({ unit: 'binary' })
      .filter((text) => text.isWellFormed() && !/[^\P{Cc}\t\u0080-\u009f]/u.test(text));
    fc.assert(
      fc.property(texts, (text) => {
        expect(textOfHeader(headerValueOf(text))).toBe(text);
      }),
    );
  });

  it('are always fit for a header', () => {
    // oxlint-disable-next-line no-control-regex -- what a header may hold
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(headerValueOf(text)).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
      }),
    );
  });

  it('have a percent-decoded reading', () => {
    expect(['%E2%82%AC', '100%25', '100%', '%zz'].map(percentDecoded)).toEqual(['€', '100%', '100%', '%zz']);
  });
});
