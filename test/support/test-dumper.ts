import type { OutgoingHttpHeaders } from 'node:http';
import type { ReceivedEvent } from '../../dump/event.ts';
import { type Dumper, startDumper } from '../../dump/server.ts';
import { type Reply, send } from './post.ts';

/** The four required attributes as headers. */
export const REQUIRED = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'a.b' };
/** The same as members of a document. */
export const REQUIRED_MEMBERS = { specversion: '1.0', id: '1', source: '/s', type: 'a.b' };

/** A header value that goes out as the UTF-8 octets of `text`. */
export function octetsOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The dumper on a free loopback port, what it received and why it refused the rest. */
export class TestDumper {
  readonly events: ReceivedEvent[] = [];
  readonly refused: string[] = [];
  #dumper: Dumper | undefined;

  static async start(): Promise<TestDumper> {
    const test = new TestDumper();
    const onRefused = (reason: string) => void test.refused.push(reason);
    test.#dumper = await startDumper(
      { host: '127.0.0.1', port: 0, onRefused },
      (event) => void test.events.push(event),
    );
    return test;
  }

  get port(): number {
    return this.#dumper?.port ?? 0;
  }

  url(path = '/'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  post(headers: OutgoingHttpHeaders, body?: Buffer | string, path = '/'): Promise<Reply> {
    // With a string as body Node would write the headers as UTF-8, octets above 127 twice encoded.
    return send(this.url(path), { headers, ...(body === undefined ? {} : { body: Buffer.from(body) }) });
  }

  /** Posts one event that must be accepted, and returns it as it was read. */
  async receive(headers: OutgoingHttpHeaders, body?: Buffer | string): Promise<ReceivedEvent> {
    const before = this.events.length;
    const reply = await this.post(headers, body);
    if (reply.status !== 202 || this.events.length !== before + 1)
      throw new Error(`${reply.status} ${reply.text}, ${this.events.length - before} events`);
    return this.events[before] as ReceivedEvent;
  }

  async stop(): Promise<void> {
    await this.#dumper?.stop();
  }
}
