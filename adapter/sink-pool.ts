import type { Socket } from 'node:net';
import type { Dispatcher } from 'undici';

/** One connection to a sink, opened anew by its client when it was closed. */
export interface Connection {
  readonly client: Dispatcher;
  /** The newest one. */
  socket: Socket | undefined;
}

/** `start` is called once: now, or when its turn has come. What it was given, it must give back. */
export interface Borrower {
  start(connection: Connection): void;
}

/**
 * At most so many connections to one sink, with one request at a time on each. Who finds none free waits here, not in
 * undici, where nobody can leave: while a sink is down, requests whose time is over would pile up with their bodies.
 */
export class SinkPool {
  readonly #limit: number;
  readonly #open: () => Connection;
  readonly #connections = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Borrower>();
  #closing = false;

  constructor(limit: number, open: () => Connection) {
    this.#limit = limit;
    this.#open = open;
  }

  lend(borrower: Borrower): void {
    const connection = this.#waiting.size === 0 ? this.#free() : undefined;
    if (connection) borrower.start(connection);
    else this.#waiting.add(borrower);
  }

  /** For one that has not got a connection yet, and wants none any more. */
  leave(borrower: Borrower): void {
    this.#waiting.delete(borrower);
  }

  /** To be called once undici is done with the request, and not before. */
  giveBack(connection: Connection): void {
    // The sink answered before it had read everything; what is left would stay in memory, ahead of the next request.
    if (connection.socket?.writableLength) this.#discard(connection);
    else this.#idle.push(connection);
    // Not at once: undici has steps to take after it told of the end.
    if (this.#waiting.size > 0 || this.#closing) queueMicrotask(() => this.#passOn());
  }

  /** Closes what is free now, and the rest when it is free and nobody waits. */
  close(): void {
    this.#closing = true;
    this.#passOn();
  }

  async destroy(): Promise<void> {
    await Promise.all(Array.from(this.#connections, ({ client }) => client.destroy()));
  }

  #free(): Connection | undefined {
    const idle = this.#idle.pop();
    if (idle || this.#connections.size >= this.#limit) return idle;
    const opened = this.#open();
    this.#connections.add(opened);
    return opened;
  }

  #discard(connection: Connection): void {
    this.#connections.delete(connection);
    queueMicrotask(() => void connection.client.destroy());
  }

  #passOn(): void {
    const [next] = this.#waiting;
    if (next) {
      const connection = this.#free();
      if (!connection) return;
      this.#waiting.delete(next);
      next.start(connection);
    } else if (this.#closing) {
      for (const { client } of this.#idle.splice(0)) void client.close();
    }
  }
}
