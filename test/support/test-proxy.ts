import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** A proxy on loopback as companies have them: it forwards http, makes tunnels for https, and knows the names. */
export class TestProxy {
  /** What it was asked for, such as `POST http://sink.test/` and `CONNECT sink.test:443`. */
  readonly calls: string[] = [];
  /** Ports on loopback, by host, of what is called by its name. */
  readonly names: Readonly<Record<string, number>>;
  /** `user:password`; others are answered with 407. */
  readonly credentials: string | undefined;
  /** Takes requests, and answers none. */
  silent = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(names: Readonly<Record<string, number>>, credentials: string | undefined) {
    this.names = names;
    this.credentials = credentials;
    this.#server = createServer((incoming, reply) => this.#forward(incoming, reply));
    this.#server.on('connect', (incoming, socket: Socket) => this.#tunnel(incoming, socket));
    this.#server.on('connection', (socket) => this.#keep(socket));
  }

  static async start(names: Readonly<Record<string, number>>, credentials?: string): Promise<TestProxy> {
    const proxy = new TestProxy(names, credentials);
    await new Promise<void>((resolve) => void proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://${this.credentials ? `${this.credentials}@` : ''}127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
  }

  /** The status it refuses with; undefined: it serves. */
  #refusal(incoming: IncomingMessage, host: string): number | undefined {
    this.calls.push(`${incoming.method} ${incoming.url}`);
    const wanted = this.credentials && `Basic ${Buffer.from(this.credentials).toString('base64')}`;
    if (wanted && incoming.headers['proxy-authorization'] !== wanted) return 407;
    return this.names[host] === undefined ? 403 : undefined;
  }

  #forward(incoming: IncomingMessage, reply: ServerResponse): void {
    const { hostname, pathname, search } = new URL(incoming.url ?? '');
    const refusal = this.#refusal(incoming, hostname);
    if (this.silent) return;
    if (refusal !== undefined) {
      reply.writeHead(refusal).end('by the proxy');
      return;
    }
    const { 'proxy-authorization': _, ...headers } = incoming.headers;
    const port = this.names[hostname];
    const onward = request({ host: '127.0.0.1', port, path: pathname + search, method: incoming.method, headers });
    onward.on('response', (answer) => {
      reply.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(reply);
    });
    onward.on('error', () => void reply.writeHead(502).end());
    incoming.pipe(onward);
  }

  #tunnel(incoming: IncomingMessage, socket: Socket): void {
    const host = incoming.url?.replace(/:\d+$/, '') ?? '';
    const refusal = this.#refusal(incoming, host);
    if (this.silent) return;
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} Refused\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    const onward = connect(this.names[host] ?? 0, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    this.#keep(onward);
    onward.once('close', () => socket.destroy());
  }
}
