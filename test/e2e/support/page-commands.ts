import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { RealWorld } from './real-world.ts';

const root = join(import.meta.dirname, '../../..');

/** The commands of a page of docs/, run as a reader would: in a checkout, by a shell. */
export class PageCommands {
  readonly #world: RealWorld;
  readonly #page: string;

  constructor(world: RealWorld, page: string) {
    this.#world = world;
    this.#page = page;
  }

  /** Runs the only command that begins so. @throws with its words */
  async run(beginning: string): Promise<string> {
    const page = await readFile(join(root, this.#page), 'utf8');
    const [command, ...others] = page.split('\n').filter((line) => line.startsWith(`$ ${beginning}`));
    if (command === undefined || others.some((other) => other !== command))
      throw new Error(`${this.#page} has ${others.length} other commands that begin with "${beginning}"`);
    const { kubeconfig, kubectl } = this.#world.cluster;
    const bin = this.#world.file('bin');
    await mkdir(bin, { recursive: true });
    await symlink(kubectl, join(bin, 'kubectl')).catch(() => undefined);
    const env = {
      PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
      KUBECONFIG: kubeconfig,
      HOME: this.#world.file('home'),
    };
    const script = `set -o pipefail; ${command.slice(2)}`;
    return (await promisify(execFile)('bash', ['-c', script], { cwd: root, env })).stdout;
  }
}
