import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeSink, type Received } from './fake-sink.ts';
import { type Ended, headwater } from './headwater.ts';

/** A server that `headwater send` sends to, and a folder with the file `secret`. */
export class WebhookTarget {
  static readonly SECRET = 'päss word';
  readonly folder: string;
  readonly server: FakeSink;

  private constructor(folder: string, server: FakeSink) {
    this.folder = folder;
    this.server = server;
  }

  static async start(): Promise<WebhookTarget> {
    const folder = await mkdtemp(join(tmpdir(), 'headwater-send-'));
    await writeFile(join(folder, 'secret'), WebhookTarget.SECRET);
    return new WebhookTarget(folder, await FakeSink.start());
  }

  /** The command line that sends here; of an option given twice the last counts. */
  argumentsWith(...args: string[]): string[] {
    return ['send', '--url', this.server.url('/hooks/x'), '--secret-file', join(this.folder, 'secret'), ...args];
  }

  send(...args: string[]): Promise<Ended> {
    return headwater(...this.argumentsWith(...args));
  }

  async write(name: string, content: string | Buffer): Promise<string> {
    await writeFile(join(this.folder, name), content);
    return join(this.folder, name);
  }

  /** The one delivery that arrived. */
  delivery(): Received {
    const [received, ...others] = this.server.received;
    if (!received || others.length > 0) throw new Error(`${this.server.received.length} deliveries arrived`);
    return received;
  }

  async stop(): Promise<void> {
    await this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function signatureOf(body: Buffer, secret: string, algorithm: 'sha1' | 'sha256' = 'sha256'): string {
  return `${algorithm}=${createHmac(algorithm, secret).update(body).digest('hex')}`;
}
