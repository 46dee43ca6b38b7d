import { setTimeout as sleep } from 'node:timers/promises';

export type Say = (text: string) => void;

export interface Waiting {
  readonly limitMs: number;
  readonly everyMs: number;
  /** What is the case now. */
  readonly what: () => string;
  readonly say?: Say;
}

const SAY_MS = 10_000;

/** @throws Error that says what was the case instead */
export async function waitUntil(
  isSo: () => boolean | Promise<boolean>,
  { limitMs, everyMs, what, say = () => undefined }: Waiting,
): Promise<void> {
  const began = performance.now();
  let saidAt = began;
  while (!(await isSo())) {
    const now = performance.now();
    if (now - began > limitMs) throw new Error(`after ${Math.round(limitMs / 1000)} s ${what()}`);
    if (now - saidAt > SAY_MS) {
      say(what());
      saidAt = now;
    }
    await sleep(everyMs);
  }
}
