import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { RealWorld } from './real-world.ts';

const root = join(import.meta.dirname, '../../..');

interface Command {
  readonly text: string;
  /** Not of other projects: those stand below a line that begins with `#`. */
  readonly isOurs: boolean;
}

/** The commands of a page of docs/, run as a reader would: by a shell, in what a checkout has to be applied. */
export class PageCommands {
  readonly #world: RealWorld;
  readonly #page: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #ran = new Set<string>();

  /** `env`: what the page asks the reader to set. */
  constructor(world: RealWorld, page: string, env: Readonly<Record<string, string>> = {}) {
    this.#world = world;
    this.#page = page;
    this.#env = env;
  }

  /** Runs the command that is so, or the only one that has this in it. @throws with its words */
  async run(part: string): Promise<string> {
    const texts = (await this.#commands()).map(({ text }) => text);
    const found = new Set(texts.filter((text) => text.includes(part)));
    const [command, other] = found.has(part) ? [part] : found;
    if (command === undefined || other !== undefined)
      throw new Error(`${this.#page} has ${found.size} commands with "${part}"`);
    this.#ran.add(command);
    const { kubeconfig, kubectl } = this.#world.cluster;
    const bin = this.#world.file('bin');
    await mkdir(bin, { recursive: true });
    await symlink(kubectl, join(bin, 'kubectl')).catch(() => undefined);
    const env = {
      PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin`,
      KUBECONFIG: kubeconfig,
      HOME: this.#world.file('home'),
      ...this.#env,
    };
    const script = `set -o pipefail; ${command}`;
    return (await promisify(execFile)('bash', ['-c', script], { cwd: await this.#checkout(), env })).stdout;
  }

  /** Writes a file as the page has it: the first block below the paragraph that names it. */
  async write(path: string): Promise<void> {
    const page = await readFile(join(root, this.#page), 'utf8');
    const [, text] = /```\w*\n([^`]*)```/.exec(page.slice(page.indexOf(`\`${path}\``))) ?? [];
    if (text === undefined || !page.includes(`\`${path}\``)) throw new Error(`${this.#page} has no ${path}`);
    const file = join(await this.#checkout(), path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }

  /** A file of the reader's own, beside the checkout's. */
  async put(path: string, text: string): Promise<void> {
    await writeFile(join(await this.#checkout(), path), text);
  }

  /** Commands of ours that were never run. */
  async left(): Promise<readonly string[]> {
    return (await this.#commands()).flatMap(({ text, isOurs }) => (isOurs && !this.#ran.has(text) ? [text] : []));
  }

  async #commands(): Promise<readonly Command[]> {
    const page = await readFile(join(root, this.#page), 'utf8');
    const blocks = Array.from(page.matchAll(/```console\n([^`]*)```/g), ([, block = '']) => block);
    return blocks.flatMap((block) =>
      block
        .split('\n')
        .filter((line) => line.startsWith('$ '))
        .map((line) => ({ text: line.slice(2), isOurs: !block.startsWith('#') })),
    );
  }

  /** Of this test's own, since the page has its reader write into it. */
  async #checkout(): Promise<string> {
    const folder = this.#world.file('checkout');
    for (const name of ['config', 'crds']) {
      const to = join(folder, name);
      await cp(join(root, name), to, { recursive: true, force: false });
    }
    return folder;
  }
}
