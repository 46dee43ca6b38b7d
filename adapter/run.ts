import type { Env } from '../core/env.ts';
import { messageOf } from '../core/errors.ts';
import { createLog } from '../core/log.ts';
import { runUntilStopped } from '../core/process.ts';
import { type RouteFeed, startAdapter } from './adapter.ts';
import { readProcessConfig } from './config.ts';
import { type RouteReceiver, RoutesDir } from './routes-dir.ts';
import { parseServableRoute } from './servable-route.ts';
import { watchedRoutes } from './watched-routes.ts';

const FINISH_MS = 15_000;

/** The adapter as a process: configured by `env`, stopped by signals. Resolves to the exit code. */
export async function runAdapter(env: Env, reportProblem: (text: string) => void): Promise<number> {
  try {
    const config = readProcessConfig(env);
    const { log, flush } = createLog(config.logLevel);
    const { shutdownDelayMs, routes } = config;
    const feedOf = (table: RouteReceiver): RouteFeed =>
      'folder' in routes
        ? new RoutesDir({ folder: routes.folder, parse: parseServableRoute, routes: table, log })
        : watchedRoutes(routes, table, log);
    const start = () => startAdapter(config, log, feedOf);
    return await runUntilStopped(start, { log, flush, shutdownDelayMs, finishMs: FINISH_MS });
  } catch (error) {
    reportProblem(messageOf(error));
    return 1;
  }
}
