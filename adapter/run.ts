import type { Env } from '../core/env.ts';
import { messageOf } from '../core/errors.ts';
import { createLog } from '../core/log.ts';
import { runUntilStopped } from '../core/process.ts';
import { startAdapter } from './adapter.ts';
import { readAdapterConfig } from './config.ts';

const FINISH_MS = 15_000;

/** The adapter as a process: configured by `env`, stopped by signals. Resolves to the exit code. */
export async function runAdapter(env: Env, reportProblem: (text: string) => void): Promise<number> {
  try {
    const config = readAdapterConfig(env);
    const { log, flush } = createLog(config.logLevel);
    const { shutdownDelayMs } = config;
    return await runUntilStopped(() => startAdapter(config, log), { log, flush, shutdownDelayMs, finishMs: FINISH_MS });
  } catch (error) {
    reportProblem(messageOf(error));
    return 1;
  }
}
