import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly at: number;
}

type Responder = (response: ServerResponse, received: Received, index: number) => void | Promise<void>;

/** An HTTP server that remembers what it was sent and answers as told. */
export class FakeSink {
  readonly received: Received[] = [];
  readonly sockets = new Set<Socket>();
  connections = 0;
  #answer: Responder = (response) => void response.writeHead(202).end();
  readonly #server: Server;
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { url = '', headers, rawHeaders } = request;
        const received = { path: url, headers, rawHeaders, body: Buffer.concat(chunks), at: performance.now() };
        this.received.push(received);
        for (const waiter of this.#waiting) if (this.received.length >= waiter.count) waiter.resolve();
        void this.#answer(response, received, this.received.length - 1);
      });
    });
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  static async start(
    server: Server = createServer({ maxHeaderSize: 1024 * 1024 }),
    host = '127.0.0.1',
  ): Promise<FakeSink> {
    const sink = new FakeSink(server);
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    return sink;
  }

  get #address(): AddressInfo {
    return this.#server.address() as AddressInfo;
  }

  get port(): number {
    return this.#address.port;
  }

  url(path = '/'): string {
    return `http://${this.#address.address}:${this.#address.port}${path}`;
  }

  answer(responder: Responder): void {
    this.#answer = responder;
  }

  /** A status for each request in turn; the last one stays. */
  answerWith(...statuses: number[]): void {
    this.#answer = (response, _received, index) =>
      void response.writeHead(statuses[Math.min(index, statuses.length - 1)] ?? 202).end('text of the sink');
  }

  async waitFor(count: number): Promise<void> {
    if (this.received.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
