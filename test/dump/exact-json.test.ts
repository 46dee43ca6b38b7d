import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indented, parseExactly } from '../../dump/exact-json.ts';

describe('indented', () => {
  it('lays JSON out as JSON.stringify does, however it was written', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        expect(indented(JSON.stringify(value, null, space))).toBe(JSON.stringify(value, null, 2));
      }),
    );
  });

  const cases = [
    {
      name: 'keeps numbers and duplicate keys',
      json: '{"a":1.0,"a":1e2}',
      lines: ['{', '  "a": 1.0,', '  "a": 1e2', '}'],
    },
    { name: 'keeps escapes', json: '["\\/\\"\\\\", "[,]"]', lines: ['[', '  "\\/\\"\\\\",', '  "[,]"', ']'] },
    { name: 'closes what is empty', json: '[ { }, [\n] ]', lines: ['[', '  {},', '  []', ']'] },
  ];
  for (const { name, json, lines } of cases) {
    it(name, () => expect(indented(json).split('\n')).toEqual(lines));
  }

  it('bears 100 000 levels, without indenting each further', () => {
    const json = `${'['.repeat(100_000)}1${']'.repeat(100_000)}`;
    const text = indented(json);
    expect(text.replace(/\s+/g, '')).toBe(json);
    expect(text.length).toBeLessThan(20_000_000);
  });
});

it('parseExactly keeps the digits of every number', () => {
  const number = fc
    .tuple(fc.bigInt(), fc.option(fc.stringMatching(/^[0-9]{1,20}$/)), fc.option(fc.integer({ min: -400, max: 400 })))
    .map(
      ([whole, fraction, exponent]) =>
        `${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
    );
  fc.assert(
    fc.property(fc.array(number), (numbers) => {
      const json = `{"a":[${numbers.join(',')}],"s":"1.0"}`;
      expect(JSON.stringify(parseExactly(json))).toBe(json);
    }),
  );
});
