import pino from 'pino';
import { expect, it, vi } from 'vitest';
import { runUntilStopped } from '../../core/process.ts';

const log = pino({ level: 'silent' });
const options = { log, flush: () => undefined, shutdownDelayMs: 10, finishMs: 1000 };

it('stops at the first signal, also while it is still starting', async () => {
  const start = vi.fn<() => Promise<never>>(() => new Promise(() => undefined));
  const running = runUntilStopped(start, options);
  process.emit('SIGTERM', 'SIGTERM');
  expect(await running).toBe(0);
  expect(start).toHaveBeenCalledOnce();
});

it('stops what was started, after the delay', async () => {
  const stop = vi.fn<(delayMs: number) => Promise<void>>(async () => undefined);
  const running = runUntilStopped(async () => ({ stop }), options);
  await Promise.resolve();
  process.emit('SIGTERM', 'SIGTERM');
  expect(await running).toBe(0);
  expect(stop.mock.calls).toEqual([[10]]);
});

it('ends with 1 when it cannot start', async () => {
  expect(await runUntilStopped(() => Promise.reject(new Error('no')), options)).toBe(1);
});
