import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Retry } from '../../controller/step.ts';
import { WorkQueue } from '../../controller/work-queue.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const TIMES = { workers: 2, firstDelayMs: 100, longestDelayMs: 1000, unchangedMs: 5000 };

/** A queue whose work ends when a test says so. */
function aQueue(answers: (Retry | undefined | Error)[] = []) {
  const started: string[] = [];
  const errors: unknown[] = [];
  const open: (() => void)[] = [];
  const work = async (key: string) => {
    started.push(key);
    await new Promise<void>((resolve) => open.push(resolve));
    const answer = answers.shift();
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const queue = new WorkQueue({ ...TIMES, work, onError: (_key, error) => void errors.push(error) });
  const soon = () => vi.advanceTimersByTimeAsync(0);
  const finish = async () => {
    open.shift()?.();
    await soon();
  };
  const after = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    await soon();
  };
  return { queue, started, errors, finish, soon, after };
}

describe('WorkQueue', () => {
  it('merges repeats, and works on one key once at a time', async () => {
    const { queue, started, finish, soon } = aQueue();
    queue.add('a');
    queue.add('a');
    await soon();
    expect(started).toEqual(['a']);
    queue.add('a');
    queue.add('a');
    await soon();
    expect(started).toEqual(['a']);
    await finish();
    expect(started).toEqual(['a', 'a']);
    await finish();
    expect(started).toHaveLength(2);
  });

  it('works on no more keys at once than it has workers', async () => {
    const { queue, started, finish, soon } = aQueue();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await soon();
    expect(started).toEqual(['a', 'b']);
    await finish();
    expect(started).toEqual(['a', 'b', 'c']);
  });

  it('comes back later and later to what failed, and starts anew after a success', async () => {
    const failing: Retry = { when: 'backoff' };
    const { queue, started, errors, finish, soon, after } = aQueue([
      failing,
      new Error('oops'),
      failing,
      undefined,
      failing,
    ]);
    queue.add('a');
    await soon();
    const waits = [100, 200, 400];
    for (const [index, wait] of waits.entries()) {
      await finish();
      await after(wait - 1);
      expect(started).toHaveLength(index + 1);
      await after(1);
      expect(started).toHaveLength(index + 2);
    }
    expect(errors).toEqual([new Error('oops')]);
    await finish();
    queue.add('a');
    await soon();
    await finish();
    await after(100);
    expect(started).toHaveLength(6);
  });

  it('waits at most so long, or as long as it was told', async () => {
    const long = Array.from({ length: 12 }, (): Retry => ({ when: 'backoff' }));
    const { queue, started, finish, soon, after } = aQueue([...long, { when: 'after', ms: 7 }, { when: 'changed' }]);
    queue.add('a');
    await soon();
    for (let count = 0; count < 12; count += 1) {
      await finish();
      await after(1000);
    }
    expect(started).toHaveLength(13);
    await finish();
    await after(7);
    expect(started).toHaveLength(14);
    await finish();
    await after(4999);
    expect(started).toHaveLength(14);
    await after(1);
    expect(started).toHaveLength(15);
  });

  it('comes at once when a change comes before its time', async () => {
    const { queue, started, finish, soon } = aQueue([{ when: 'changed' }]);
    queue.add('a');
    await soon();
    await finish();
    queue.add('a');
    await soon();
    expect(started).toHaveLength(2);
  });

  it('stops when what is under way is done, and takes nothing new', async () => {
    const { queue, started, finish, soon } = aQueue();
    queue.add('a');
    await soon();
    const stopped = vi.fn<() => void>();
    void queue.stop().then(stopped);
    queue.add('b');
    await soon();
    expect(stopped).not.toHaveBeenCalled();
    await finish();
    expect(stopped).toHaveBeenCalled();
    expect(started).toEqual(['a']);
  });

  it('tries many failing keys again no faster, all together, than ten a second after a burst of a hundred', async () => {
    const started: number[] = [];
    const work = async () => {
      started.push(performance.now());
      return { when: 'backoff' } as const;
    };
    const queue = new WorkQueue({ ...TIMES, workers: 300, work, onError: () => undefined });
    const from = performance.now();
    for (let key = 0; key < 200; key += 1) queue.add(String(key));
    await vi.advanceTimersByTimeAsync(10_000);
    const retries = started.filter((at) => at > from).length;
    expect(retries).toBeGreaterThan(190);
    expect(retries).toBeLessThanOrEqual(200);
  });

  it('works on what changed before what is only due', async () => {
    const after = (): Retry => ({ when: 'after', ms: 100 });
    const { queue, started, finish, soon } = aQueue([after(), after(), after()]);
    for (const key of ['due-1', 'due-2', 'due-3']) queue.add(key);
    await soon();
    for (let done = 0; done < 3; done += 1) await finish();
    // Two that take both workers while the others fall due.
    for (const key of ['long-1', 'long-2']) queue.add(key);
    await vi.advanceTimersByTimeAsync(200);
    queue.add('changed');
    await finish();
    await finish();
    expect(started.slice(3)).toEqual(['long-1', 'long-2', 'changed', 'due-1']);
  });

  it('waits for adapters without regard to the others', async () => {
    const started: string[] = [];
    const work = async (key: string): Promise<Retry> => {
      started.push(key);
      return key === 'new' ? { when: 'backoff', wokenBy: 'adapters' } : { when: 'backoff' };
    };
    const queue = new WorkQueue({ ...TIMES, workers: 300, work, onError: () => undefined });
    for (let key = 0; key < 250; key += 1) queue.add(String(key));
    await vi.advanceTimersByTimeAsync(500);
    queue.add('new');
    await vi.advanceTimersByTimeAsync(150);
    expect(started.filter((key) => key === 'new')).toHaveLength(2);
  });
});
