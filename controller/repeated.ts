import { setTimeout as sleep } from 'node:timers/promises';

/** Does `work`, which never rejects, again and again, with a pause in between; until it is stopped. */
export function repeated(work: () => Promise<void>, pauseMs: number): { stop(): void } {
  const stopped = new AbortController();
  const { signal } = stopped;
  const run = async () => {
    while (!signal.aborted) {
      await work();
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  };
  void run();
  return { stop: () => stopped.abort() };
}
