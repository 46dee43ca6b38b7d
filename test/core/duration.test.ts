import { describe, expect, it } from 'vitest';
import { millisecondsOf } from '../../core/duration.ts';

describe('millisecondsOf', () => {
  const rows: [string, number | undefined][] = [
    ['PT0.2S', 200],
    ['PT3S', 3000],
    ['PT1M', 60_000],
    ['P1DT2H3M4S', 93_784_000],
    ['P1W', 604_800_000],
    ['PT0S', 0],
    ['P', undefined],
    ['PT', undefined],
    ['3s', undefined],
    ['P1M', undefined],
    ['P1Y', undefined],
    ['', undefined],
    ['-PT1S', undefined],
  ];
  for (const [text, ms] of rows) it(`${text || '(empty)'}: ${ms}`, () => expect(millisecondsOf(text)).toBe(ms));
});
