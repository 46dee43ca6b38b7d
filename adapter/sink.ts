import type { Dispatcher } from 'undici';
import { messageOf } from '../core/errors.ts';
import type { Sink, SinkPools } from './sink-pools.ts';

/** One event in CloudEvents binary mode: header names and values in turn, and the data. */
export interface Message {
  readonly headers: readonly string[];
  readonly data: Buffer;
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
    const attempt = new Attempt(resolve, timeoutMs);
    try {
      pools.poolFor(sink).dispatch(
        {
          method: 'POST',
          path: sink.path,
          headers: [...message.headers, ...sink.headers],
          body: message.data,
        },
        attempt,
      );
    } catch (error) {
      attempt.onResponseError(null, error instanceof Error ? error : new Error(messageOf(error)));
    }
  });
}

/** undici's handler of one request. */
class Attempt implements Dispatcher.DispatchHandler {
  readonly #resolve: (answer: Answer) => void;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #expired = false;
  #status = 0;
  #retryAfter: string | undefined;
  #chunks: Buffer[] | undefined;
  #replyBytes = 0;

  constructor(resolve: (answer: Answer) => void, timeoutMs: number) {
    this.#resolve = resolve;
    this.#timer = setTimeout(() => this.#expire(timeoutMs), timeoutMs);
  }

  #expire(timeoutMs: number): void {
    const error = new AttemptTimeoutError(`no answer within ${timeoutMs} ms`);
    this.#expired = true;
    if (this.#status > 0) this.#finish();
    else this.#resolve({ kind: 'unreachable', error });
    this.#controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection until its time was over.
    if (this.#expired) controller.abort(new AttemptTimeoutError('expired before a connection was free'));
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
  }

  onResponseError(_controller: unknown, error: Error): void {
    clearTimeout(this.#timer);
    // After the status is known, the reply's end does not matter.
    if (this.#status > 0) this.#finish();
    else this.#resolve({ kind: 'unreachable', error });
  }

  #finish(): void {
    clearTimeout(this.#timer);
    if (this.#chunks === undefined) return;
    this.#answer(Buffer.concat(this.#chunks));
    this.#chunks = undefined;
  }

  #answer(body: Buffer): void {
    this.#resolve({ kind: 'answered', status: this.#status, retryAfter: this.#retryAfter, body });
  }
}
