import type { AddressInfo } from 'node:net';
import { createServer, type Server, Socket } from 'node:net';

/** A way to a server on loopback that can be frozen, as by a switch that died, and cut. */
export class CutOff {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isFrozen = false;

  private constructor(target: URL) {
    this.#server = createServer((client) => {
      const server = new Socket().connect(Number(target.port), target.hostname);
      const pair = [client, server] as const;
      this.#pairs.add(pair);
      for (const [from, to] of [pair, [server, client] as const]) {
        from.on('data', (chunk) => void to.write(chunk));
        from.on('error', () => undefined);
        from.once('close', () => {
          to.destroy();
          this.#pairs.delete(pair);
        });
      }
      if (this.#isFrozen) for (const socket of pair) socket.pause();
    });
  }

  static async start(target: string): Promise<CutOff> {
    const way = new CutOff(new URL(target));
    await new Promise<void>((resolve) => void way.#server.listen(0, '127.0.0.1', resolve));
    return way;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Nothing goes through, and nobody is told. */
  freeze(): void {
    this.#isFrozen = true;
    for (const socket of [...this.#pairs].flat()) socket.pause();
  }

  /** The connections there are, and no later one. */
  freezePresent(): void {
    for (const socket of [...this.#pairs].flat()) socket.pause();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const socket of [...this.#pairs].flat()) socket.resume();
  }

  /** Every connection is reset. */
  cut(): void {
    for (const socket of [...this.#pairs].flat()) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    for (const socket of [...this.#pairs].flat()) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
