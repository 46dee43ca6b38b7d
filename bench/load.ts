import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { HOOK_PATH } from './deliveries.ts';
import { LOAD_CPU, type RunScope } from './run-scope.ts';

export interface Load {
  /** The file of prepared requests. */
  readonly requests: string;
  /** Connections, each with one request at a time. */
  readonly concurrency: number;
  readonly seconds: number;
}

/** What wrk saw; written by load.lua. */
export interface LoadFigures {
  readonly sent: number;
  /** Answered, with whatever status. */
  readonly completed: number;
  /** From the first request to the last answer. */
  readonly elapsedMs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Answered with a status of 400 or more. */
  readonly refused: number;
  readonly socketErrors: number;
  readonly timeouts: number;
}

/** After the last request begins, so long is left for answers: wrk takes whole seconds. */
const DRAIN_SECONDS = 2;
const ANSWER_TIMEOUT_SECONDS = 10;

/** Sends deliveries to `port` as fast as they are answered. Ids are unique over all calls and all runs of the bench. */
export async function sendLoad(scope: RunScope, port: number, load: Load): Promise<LoadFigures> {
  const { requests, concurrency, seconds } = load;
  const idPrefix = randomUUID().slice(0, 24);
  const settings = {
    threads: 1,
    connections: concurrency,
    duration: seconds + DRAIN_SECONDS,
    timeout: ANSWER_TIMEOUT_SECONDS,
    script: `${import.meta.dirname}/load.lua`,
  };
  const args = [
    ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    `http://127.0.0.1:${port}${HOOK_PATH}`,
    '--',
    requests,
    idPrefix,
    String(seconds),
  ];
  const limitMs = (settings.duration + ANSWER_TIMEOUT_SECONDS) * 1000;
  const wrk = scope.start({ command: scope.tools.wrk, args, limitMs }, LOAD_CPU, 'pipe');
  if (wrk.stdout === null) throw new Error('the output of wrk is not readable');
  const output = await text(wrk.stdout);
  const figures = /^FIGURES (\{.*\})$/m.exec(output)?.[1];
  if (figures === undefined) throw new Error(`wrk ended without figures:\n${output}`);
  return JSON.parse(figures) as LoadFigures;
}
