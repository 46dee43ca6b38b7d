import { describe, expect, it } from 'vitest';
import { OwnWrites } from '../../../controller/kube/own-writes.ts';

const KEY = 'v1/Secret routes/one';

function watched() {
  const writes = new OwnWrites();
  const told: (string | undefined)[] = [];
  const see = (version: string | undefined, key = KEY) => writes.tellOthers(key, version, () => told.push(version));
  return { writes, told, see };
}

/** Until all that waits for the end of a write went on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a change that a watch tells of', () => {
  it('is not told when it was made here, and told the next time', async () => {
    const { writes, told, see } = watched();
    await writes.note(KEY, async () => '7');
    see('7');
    expect(told).toEqual([]);
    see('8');
    expect(told).toEqual(['8']);
  });

  it('waits for the end of a write that is under way', async () => {
    const { writes, told, see } = watched();
    const answer = Promise.withResolvers<string>();
    const noted = writes.note(KEY, () => answer.promise);
    see('6');
    see('7');
    see('7', 'v1/Secret routes/other');
    expect(told).toEqual(['7']);
    answer.resolve('7');
    await noted;
    await settled();
    expect(told).toEqual(['7', '6']);
  });

  it("is told when it is another's after ours, or the object is gone", async () => {
    const { writes, told, see } = watched();
    await writes.note(KEY, async () => '7');
    see('9');
    await writes.note(KEY, async () => '10');
    see(undefined);
    expect(told).toEqual(['9', undefined]);
  });

  it('is told when the write failed, which fails for who wrote', async () => {
    const { writes, told, see } = watched();
    const noted = writes.note(KEY, async () => Promise.reject(new Error('no')));
    see('7');
    await expect(noted).rejects.toThrow('no');
    await settled();
    expect(told).toEqual(['7']);
  });
});
