import { isMarkedAsUntransferable } from 'node:worker_threads';
import type { KubeConfig, RequestContext } from '@kubernetes/client-node';
import { Agent, type Dispatcher, request } from 'undici';
import { ApiStatusError } from '../../core/list-watch.ts';
import { textLines } from '../../core/text-lines.ts';
import { refusalOf } from './refusal.ts';

interface DispatcherMaker {
  createDispatcherOptions(cluster: unknown, options: unknown): { type: string; connect?: Agent.Options['connect'] };
  createDispatcher(cluster: unknown, options: unknown): Dispatcher | undefined;
}

export interface ApiRequest {
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

/** Told of each request; `code`: the status, or `<error>` as client-go says it where there was no answer. Of a watch, of its beginning. */
export type AnswerObserver = (method: string, code: string, seconds: number) => void;

const TIMEOUT_MS = 30_000;
const LONGEST_REASON = 500;

/**
 * The Kubernetes API over REST, with the addresses and credentials of a KubeConfig. client-node's own request functions
 * make a connection per call; here there is one dispatcher for as long as the credentials are the same.
 */
export class ApiClient {
  readonly #config: KubeConfig;
  readonly #server: string;
  readonly #onAnswer: AnswerObserver;
  #dispatcher: { key: string; dispatcher: Dispatcher | undefined } | undefined;

  /** @throws Error when the config names no cluster */
  constructor(config: KubeConfig, onAnswer: AnswerObserver = () => undefined) {
    const cluster = config.getCurrentCluster();
    if (!cluster) throw new Error('the kubeconfig names no cluster');
    this.#config = config;
    this.#onAnswer = onAnswer;
    this.#server = cluster.server.replace(/\/+$/, '');
    // Private in its types; without this, every call would make a connection of its own.
    const making = config as unknown as DispatcherMaker;
    const make = making.createDispatcher.bind(config);
    making.createDispatcher = (of, options) =>
      this.#dispatcherFor(JSON.stringify(options), () => {
        const { type, connect } = making.createDispatcherOptions(of, options);
        return type === 'agent' || type === 'none' ? agentOf(connect) : make(of, options);
      });
  }

  #dispatcherFor(key: string, make: () => Dispatcher | undefined): Dispatcher | undefined {
    if (this.#dispatcher?.key !== key) {
      // Requests under way end as they began.
      void this.#dispatcher?.dispatcher?.close();
      this.#dispatcher = { key, dispatcher: make() };
    }
    return this.#dispatcher.dispatcher;
  }

  /**
   * Resolves to the parsed answer.
   * @throws ApiStatusError when the server refuses, AdmissionError when a webhook of its does; what undici throws when it is not reached
   */
  async call<Answer>(method: Dispatcher.HttpMethod, path: string, options: ApiRequest = {}): Promise<Answer> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    const { statusCode, body } = await this.#send(method, path, { ...options, signal });
    const text = await body.text();
    if (statusCode < 300) return (text === '' ? undefined : JSON.parse(text)) as Answer;
    throw refusalOf(`${method} ${path}`, statusCode, reasonIn(text));
  }

  /**
   * The bytes of an answer as they come, each chunk to be read before the next is asked for; no time limit but `signal`.
   * @throws ApiStatusError
   */
  async *chunks(path: string, options: ApiRequest & { signal: AbortSignal }): AsyncIterable<Uint8Array> {
    const { statusCode, body } = await this.#send('GET', path, options);
    if (statusCode >= 300) throw new ApiStatusError(`GET ${path}`, statusCode, reasonIn(await body.text()));
    let read: ArrayBufferLike | undefined;
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      // Several chunks may be views of what was read from the socket at once.
      if (read !== chunk.buffer) freeMemory(read);
      read = chunk.buffer;
      yield chunk;
    }
  }

  /**
   * The lines of a watch, as `chunks`.
   * @throws ApiStatusError
   */
  lines(path: string, options: ApiRequest & { signal: AbortSignal }): AsyncIterable<string> {
    return textLines(this.chunks(path, options));
  }

  async close(): Promise<void> {
    await this.#dispatcher?.dispatcher?.destroy();
  }

  async #send(method: Dispatcher.HttpMethod, path: string, options: ApiRequest) {
    const { query = {}, body, contentType = 'application/json', accept = 'application/json', signal } = options;
    const url = new URL(this.#server + path);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const headers: Record<string, string> = { accept, 'user-agent': 'headwater' };
    if (body !== undefined) headers['content-type'] = contentType;
    let dispatcher: Dispatcher | undefined;
    await this.#config.applySecurityAuthentication({
      setHeaderParam: (name: string, value: string) => void (headers[name] = value),
      setDispatcher: (made: Dispatcher) => void (dispatcher = made),
      // All that it uses of a request of client-node's.
    } as unknown as RequestContext);
    const json = body === undefined ? undefined : JSON.stringify(body);
    const sentAt = performance.now();
    let code = '<error>';
    try {
      const response = await request(url, {
        method,
        headers,
        body: json ?? null,
        ...(signal && { signal }),
        ...(dispatcher && { dispatcher }),
        headersTimeout: TIMEOUT_MS,
        bodyTimeout: 0,
      });
      code = String(response.statusCode);
      return response;
    } finally {
      this.#onAnswer(method, code, (performance.now() - sentAt) / 1000);
    }
  }
}

/**
 * HTTP/1.1: a request that is given up takes its connection with it, while a dead HTTP/2 connection would be used by
 * all that come after. Each watch holds a connection.
 */
function agentOf(connect: Agent.Options['connect']): Agent {
  return new Agent({ allowH2: false, connections: 128, ...(connect && { connect }) });
}

/**
 * Gives memory that nobody will read back at once: the collector, to which it is one small object, comes only after tens
 * of megabytes more. Node's pool, which is shared, stays.
 */
function freeMemory(buffer: ArrayBufferLike | undefined): void {
  if (buffer instanceof ArrayBuffer && !isMarkedAsUntransferable(buffer)) buffer.transfer(0);
}

/** `message` of a Status, on one line. */
function reasonIn(text: string): string {
  let reason = text;
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    if (typeof message === 'string') reason = message;
  } catch {
    // A proxy in between answers in its own words.
  }
  return reason.replace(/\s+/g, ' ').trim().slice(0, LONGEST_REASON);
}
