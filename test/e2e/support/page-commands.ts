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

  /** Runs the command that is so, or the only one that begins so. @throws with its words */
  async run(beginning: string): Promise<string> {
    const page = await readFile(join(root, this.#page), 'utf8');
    const found = new Set(page.split('\n').filter((line) => line.startsWith(`$ ${beginning}`)));
    const [command, other] = found.has(`$ ${beginning}`) ? [`$ ${beginning}`] : found;
    if (command === undefined || other !== undefined)
      throw new Error(`${this.#page} has ${found.size} commands that begin with "${beginning}"`);
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
