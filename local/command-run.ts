import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Env } from '../core/env.ts';
import { messageOf } from '../core/errors.ts';
import { type CommandProcess, startCommand } from './command-process.ts';
import { HOST } from './local-planes.ts';
import { type Judgement, refusal } from './readiness.ts';

/** How a command is to be run. */
export interface Wish {
  readonly command: string;
  readonly folder: string;
  readonly env: Env;
  /** Changes with the document: then it is started anew. */
  readonly document: string;
  /** undefined: a free one. */
  readonly port: number | undefined;
}

export interface CommandRunOptions {
  readonly onLine: (line: string) => void;
  readonly onChange: () => void;
}

/** Nothing listens yet. */
export const STARTING = 'Starting';
const GRACE_MS = 3000;
const PROBE_MS = 50;
/** The wait before a command that ended is started again; twice as long each time, up to the longest. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/** One that ran so long did not fail to start. */
const SETTLED_MS = 10_000;

/** One command, kept running as it is wished, on the same port all the time. */
export class CommandRun {
  readonly #options: CommandRunOptions;
  #wish: Wish | Judgement | undefined;
  #present = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #port: number | undefined;
  #judgement: Judgement = { status: 'Unknown' };
  #url: string | undefined;

  constructor(options: CommandRunOptions) {
    this.#options = options;
  }

  get judgement(): Judgement {
    return this.#judgement;
  }

  /** Where it listens; undefined while nothing did yet. */
  get url(): string | undefined {
    return this.#url;
  }

  /** A judgement: why it cannot be run. */
  want(wish: Wish | Judgement): void {
    if (isDeepStrictEqual(wish, this.#wish)) return;
    this.#wish = wish;
    this.#present.abort();
    const present = new AbortController();
    this.#present = present;
    this.#running = this.#running
      .then(() => ('command' in wish ? this.#keepRunning(wish, present.signal) : this.#judge(wish, present.signal)))
      .catch((error: unknown) => this.#judge(refusal('CommandFailed', messageOf(error)), present.signal));
  }

  async stop(): Promise<void> {
    this.#present.abort();
    await this.#running;
  }

  async #keepRunning(wish: Wish, stop: AbortSignal): Promise<void> {
    const port = wish.port ?? (this.#port ??= await freePort());
    const { onLine } = this.#options;
    for (let waitMs = FIRST_WAIT_MS; !stop.aborted; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const started = performance.now();
      const command = startCommand({ ...wish, env: { ...wish.env, PORT: String(port) }, onLine });
      this.#judge({ status: 'Unknown', reason: STARTING, message: `nothing listens on port ${port} (PORT) yet` }, stop);
      void this.#probe(port, command, stop);
      const end = await Promise.race([command.ended, aborted(stop)]);
      if (end === undefined) return command.stop(GRACE_MS);
      if (performance.now() - started > SETTLED_MS) waitMs = FIRST_WAIT_MS;
      const again = `it is started again in ${waitMs / 1000} s, or when its document changes`;
      this.#judge({ status: 'False', reason: 'CommandEnded', message: `its command ${end}; ${again}` }, stop);
      await sleep(waitMs, undefined, { signal: stop }).catch(() => undefined);
    }
  }

  async #probe(port: number, command: CommandProcess, stop: AbortSignal): Promise<void> {
    let hasEnded = false;
    void command.ended.then(() => (hasEnded = true));
    while (!hasEnded && !stop.aborted) {
      if (await accepts(port)) {
        this.#url = `http://${HOST}:${port}`;
        return this.#judge({ status: 'True' }, stop);
      }
      await sleep(PROBE_MS);
    }
  }

  #judge(judgement: Judgement, stop: AbortSignal): void {
    if (stop.aborted) return;
    this.#judgement = judgement;
    this.#options.onChange();
  }
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether something listens there. */
async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, HOST);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
