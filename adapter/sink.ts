import type { Dispatcher } from 'undici';
import type { HeldBytes } from './body.ts';
import type { Borrower, Connection, SinkPool } from './sink-pool.ts';
import type { Sink, SinkPools } from './sink-pools.ts';

/** One event in CloudEvents binary mode: header names and values in turn, and the data. */
export interface Message {
  readonly headers: readonly string[];
  readonly data: Buffer;
  /** What the data counts as; an attempt under way holds it. */
  readonly held: HeldBytes;
}

/** What one attempt led to; `unreachable` covers connection errors, time-outs and forbidden addresses. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly retryAfter: string | undefined;
      readonly body: Buffer;
    }
  | { readonly kind: 'unreachable'; readonly error: Error };

export class AttemptTimeoutError extends Error {
  override name = 'AttemptTimeoutError';
  readonly code = 'ERR_ATTEMPT_TIMEOUT';
}

/** A reply is read this far, to use the connection again and for `knativeerrordata`; a longer one is cut off. */
const MAX_REPLY_BYTES = 64 * 1024;

/**
 * Posts one message once. A 2xx counts as soon as its headers are there: what a sink sends behind them changes nothing.
 * Redirects are answers like any other. Never rejects.
 */
export function postToSink(pools: SinkPools, sink: Sink, message: Message, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const pool = pools.poolFor(sink);
    pool.lend(new Attempt(pool, { sink, message }, resolve, timeoutMs));
  });
}

/** One request, from waiting for a connection to the end of the reply; undici's handler of it. */
class Attempt implements Borrower, Dispatcher.DispatchHandler {
  readonly #pool: SinkPool;
  readonly #request: { readonly sink: Sink; readonly message: Message };
  readonly #resolve: (answer: Answer) => void;
  readonly #timer: NodeJS.Timeout;
  #connection: Connection | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #expired = false;
  #status = 0;
  #retryAfter: string | undefined;
  #chunks: Buffer[] | undefined;
  #replyBytes = 0;

  constructor(
    pool: SinkPool,
    request: { readonly sink: Sink; readonly message: Message },
    resolve: (answer: Answer) => void,
    timeoutMs: number,
  ) {
    this.#pool = pool;
    this.#request = request;
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.#expire(timeoutMs), timeoutMs);
  }

  start(connection: Connection): void {
    const { sink, message } = this.#request;
    this.#connection = connection;
    message.held.hold();
    const headers = [...message.headers, ...sink.headers];
    const { origin, path } = sink;
    connection.client.dispatch({ method: 'POST', origin, path, headers, body: message.data }, this);
  }

  #expire(timeoutMs: number): void {
    const error = new AttemptTimeoutError(`no answer within ${timeoutMs} ms`);
    this.#expired = true;
    if (this.#status > 0) this.#finish();
    else this.#resolve({ kind: 'unreachable', error });
    if (!this.#connection) this.#pool.leave(this);
    // Without a controller it still connects; that has a time limit of its own.
    this.#controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#expired) controller.abort(new AttemptTimeoutError('expired before the connection was there'));
  }

  onResponseStart(_controller: unknown, status: number, headers: Record<string, string | string[] | undefined>): void {
    if (status < 200) return;
    this.#status = status;
    if (status < 300) {
      this.#answer(Buffer.alloc(0));
      return;
    }
    const retryAfter = headers['retry-after'];
    this.#retryAfter = typeof retryAfter === 'string' ? retryAfter : undefined;
    this.#chunks = [];
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#replyBytes += chunk.length;
    this.#chunks?.push(chunk);
    if (this.#replyBytes <= MAX_REPLY_BYTES) return;
    this.#finish();
    controller.abort(new Error('the reply is longer than is read'));
  }

  onResponseEnd(): void {
    this.#finish();
    this.#giveBack();
  }

  onResponseError(_controller: unknown, error: Error): void {
    // After the status is known, the reply's end does not matter.
    if (this.#status > 0) this.#finish();
    else this.#resolve({ kind: 'unreachable', error });
    this.#giveBack();
  }

  #finish(): void {
    if (this.#chunks === undefined) return;
    this.#answer(Buffer.concat(this.#chunks));
    this.#chunks = undefined;
  }

  #answer(body: Buffer): void {
    this.#resolve({ kind: 'answered', status: this.#status, retryAfter: this.#retryAfter, body });
  }

  /** undici is done with the request: the connection is free, and the data held no more. */
  #giveBack(): void {
    clearTimeout(this.#timer);
    if (!this.#connection) return;
    this.#pool.giveBack(this.#connection);
    this.#connection = undefined;
    this.#request.message.held.letGo();
  }
}
