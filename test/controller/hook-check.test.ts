import { describe, expect, it } from 'vitest';
import { untilTurnMs } from '../../controller/hook-check.ts';

const HOUR = 3_600_000;
const INTERVAL = 600_000;
const at = (ms: number) => new Date(1_800_000_000_000 + ms);
const untilTurn = (repository: string, ms: number) =>
  untilTurnMs({ api: 'https://api.github.com', repository }, at(ms), INTERVAL);

describe('the turn of a repository', () => {
  it('is the same whenever a source of it asks, and whatever the case of its name', () => {
    const turns = [0, 1000, 250_000, 599_999, HOUR].map((ms) => (ms + untilTurn('octo/hello', ms)) % INTERVAL);
    expect(new Set(turns.map(Math.round)).size).toBe(1);
    expect(untilTurn('Octo/Hello', 0)).toBe(untilTurn('octo/hello', 0));
  });

  it('comes in no less than half of an interval and no more than one and a half, and then once an interval', () => {
    for (let ms = 0; ms < HOUR; ms += 12_345) {
      expect(untilTurn('octo/hello', ms)).toBeGreaterThanOrEqual(INTERVAL / 2);
      expect(untilTurn('octo/hello', ms)).toBeLessThan(1.5 * INTERVAL);
    }
    const turn = untilTurn('octo/hello', 0);
    // A tenth of an interval late, as a look may be.
    expect(untilTurn('octo/hello', turn + INTERVAL / 10)).toBeCloseTo(INTERVAL * 0.9, -1);
  });

  it("is not another's: they are spread over the interval", () => {
    const tenths = new Set(
      Array.from({ length: 500 }, (_, index) =>
        Math.floor(((untilTurn(`octo/r${index}`, 0) % INTERVAL) / INTERVAL) * 10),
      ),
    );
    expect(tenths.size).toBe(10);
  });
});
