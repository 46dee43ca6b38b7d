import type { Deliveries } from './deliveries.ts';
import { untilFirstAccepted } from './first-reply.ts';
import { nginxProgram, SINK_STATUS_PATH, sinkServer } from './nginx.ts';
import { freePort } from './ports.ts';
import { LOAD_CPU, type Program, type RunScope } from './run-scope.ts';

export interface CountingSink {
  readonly port: number;
  /** How many requests arrived since the last call. */
  readonly countNew: () => Promise<number>;
}

export async function startSink(scope: RunScope, deliveries: Deliveries): Promise<CountingSink> {
  const port = await freePort();
  const program: Program = await nginxProgram(scope, 'sink', sinkServer(port));
  await untilFirstAccepted(scope.start(program, LOAD_CPU), port, deliveries.next);
  let seen = await requestsCountedBy(port);
  const countNew = async () => {
    const before = seen;
    seen = await requestsCountedBy(port);
    // The question itself is counted too.
    return seen - before - 1;
  };
  return { port, countNew };
}

/** The third number below `server accepts handled requests` (ngx_http_stub_status_module). */
async function requestsCountedBy(port: number): Promise<number> {
  const reply = await fetch(`http://127.0.0.1:${port}${SINK_STATUS_PATH}`, { signal: AbortSignal.timeout(5000) });
  const count = /^ \d+ \d+ (\d+) $/m.exec(await reply.text())?.[1];
  if (count === undefined) throw new Error('the sink does not say how many requests it got');
  return Number(count);
}
