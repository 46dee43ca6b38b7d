import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { promisify } from 'node:util';
import { messageOf } from '../../../core/errors.ts';

const run = promisify(execFile);

/** A network namespace, as a pod has one. */
export interface PodNamespace {
  readonly name: string;
  readonly address: string;
}

/** A bridge of this machine with a namespace for each pod at it: pods and this machine reach each other, and nothing else. */
export class PodNetwork {
  readonly #bridge = `hw${randomBytes(3).toString('hex')}`;
  readonly #prefix: string;
  readonly #namespaces: string[] = [];
  #joined = 0;

  private constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** @throws Error that says what is missing */
  static async start(): Promise<PodNetwork> {
    try {
      const network = new PodNetwork(await freePrefix());
      await network.#open();
      return network;
    } catch (error) {
      throw new Error(
        `this test gives pods network namespaces of their own: run it as root, with ip (iproute2), and unshare and setpriv (util-linux) installed (${messageOf(error)})`,
        { cause: error },
      );
    }
  }

  /** This machine's, as pods see it. */
  get hostAddress(): string {
    return `${this.#prefix}.1`;
  }

  /** `local`: an address that answers inside of it alone. */
  async join(local: string): Promise<PodNamespace> {
    this.#joined += 1;
    const name = `${this.#bridge}-${this.#joined}`;
    const address = `${this.#prefix}.${this.#joined + 1}`;
    const outside = `${this.#bridge}v${this.#joined}`;
    await ip('netns', 'add', name);
    this.#namespaces.push(name);
    await ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await ip('link', 'set', outside, 'master', this.#bridge, 'up');
    await ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    await ip('-n', name, 'link', 'set', 'eth0', 'up');
    await ip('-n', name, 'link', 'set', 'lo', 'up');
    await ip('-n', name, 'addr', 'add', `${local}/32`, 'dev', 'lo');
    await ip('-n', name, 'route', 'add', 'default', 'via', this.hostAddress);
    return { name, address };
  }

  /** An address of this machine, which pods reach. */
  async claim(address: string): Promise<void> {
    await ip('addr', 'add', `${address}/32`, 'dev', this.#bridge);
  }

  /** After the processes in it ended: what is at the bridge goes with the namespaces. */
  async stop(): Promise<void> {
    for (const name of this.#namespaces.splice(0)) await ip('netns', 'delete', name);
    await ip('link', 'delete', this.#bridge);
  }

  async #open(): Promise<void> {
    for (const program of ['unshare', 'setpriv']) await run(program, ['--version']);
    await ip('link', 'add', this.#bridge, 'type', 'bridge');
    try {
      await ip('addr', 'add', `${this.hostAddress}/24`, 'dev', this.#bridge);
      await ip('link', 'set', this.#bridge, 'up');
    } catch (error) {
      await this.stop();
      throw error;
    }
  }
}

async function ip(...args: string[]): Promise<string> {
  return (await run('ip', args)).stdout;
}

/** `10.x.y` that this machine has no route to but the default one. */
async function freePrefix(): Promise<string> {
  for (;;) {
    const prefix = `10.${randomInt(64, 256)}.${randomInt(256)}`;
    const routes = await ip('-4', 'route', 'show', 'to', 'match', `${prefix}.1`);
    if (routes.split('\n').every((line) => line === '' || line.startsWith('default'))) return prefix;
  }
}
