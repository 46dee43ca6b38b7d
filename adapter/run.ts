import type { Env } from '../core/env.ts';
import { messageOf } from '../core/errors.ts';
import { createLog } from '../core/log.ts';
import { runUntilStopped } from '../core/process.ts';
import { startAdapter } from './adapter.ts';
import { readFolderConfig } from './config.ts';
import { RoutesDir } from './routes-dir.ts';
import { parseServableRoute } from './servable-route.ts';

const FINISH_MS = 15_000;

/** The adapter as a process: configured by `env`, stopped by signals. Resolves to the exit code. */
export async function runAdapter(env: Env, reportProblem: (text: string) => void): Promise<number> {
  try {
    const config = readFolderConfig(env);
    const { log, flush } = createLog(config.logLevel);
    const { shutdownDelayMs, routesDir: folder } = config;
    const start = () =>
      startAdapter(config, log, (routes) => new RoutesDir({ folder, parse: parseServableRoute, routes, log }));
    return await runUntilStopped(start, { log, flush, shutdownDelayMs, finishMs: FINISH_MS });
  } catch (error) {
    reportProblem(messageOf(error));
    return 1;
  }
}
