import { messageOf } from './errors.ts';
import type { Log } from './log.ts';

/** What `runUntilStopped` needs of the process. */
export interface Stoppable {
  stop(delayMs: number): Promise<void>;
}

export interface RunOptions {
  readonly log: Log;
  readonly flush: () => void;
  /** How long to serve on after SIGTERM; after an interrupt at the terminal nobody waits. */
  readonly shutdownDelayMs: number;
  /** The time limit for finishing what is under way, after the delay. */
  readonly finishMs: number;
}

/** Starts, serves until SIGTERM or SIGINT, stops; a second signal ends the process at once. Resolves to its exit code. */
export async function runUntilStopped(start: () => Promise<Stoppable>, options: RunOptions): Promise<number> {
  const { log, flush, shutdownDelayMs, finishMs } = options;
  const signal = nextSignal();
  try {
    const running = await Promise.race([start(), signal.then(() => undefined)]);
    const name = await signal;
    log.info({ signal: name }, 'stopping');
    // Nothing was served yet.
    if (!running) return 0;
    const delayMs = name === 'SIGTERM' ? shutdownDelayMs : 0;
    const stopped = running.stop(delayMs).then(() => 0);
    return await Promise.race([stopped, nextSignal().then(() => 1), after(delayMs + finishMs).then(() => 1)]);
  } catch (error) {
    log.fatal({ error: messageOf(error) }, 'cannot run');
    return 1;
  } finally {
    flush();
  }
}

/** The next SIGTERM or SIGINT; after it, another one ends the process as usual. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
