import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodNamespace } from '../../e2e/support/pod-network.ts';
import { Part } from '../../e2e/support/real-world.ts';
import type { Buildah } from './buildah.ts';

/** What an image says of itself. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly ExposedPorts: object;
  readonly Healthcheck: { readonly Test: readonly string[] };
}

export interface RunOptions {
  /** In place of the image's entry point. */
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of this machine, by where they are to be seen. */
  readonly mounts?: Readonly<Record<string, string>>;
  /** In place of the image's own user, as some clusters choose one. */
  readonly user?: string;
}

const MOUNT_AND_RUN = [
  'set -e',
  'root=$1; shift',
  'mount --bind "$root" "$root"',
  'mount -t proc proc "$root/proc"',
  'mount --rbind /dev "$root/dev"',
  'while [ "$1" != -- ]; do mount --bind "$1" "$root$2"; shift 2; done; shift',
  'mount -o remount,bind,ro "$root"',
  // The program is looked for in the root, along the PATH of the image.
  'exec setpriv --no-new-privs env -i "$@"',
].join('\n');

/** An image's root as a pod would have it: read-only, of the image's user, in a network of its own. */
export class ImagePod {
  readonly config: ImageConfig;
  readonly root: string;
  readonly network: PodNamespace;
  readonly #started: Part[] = [];

  private constructor(config: ImageConfig, root: string, network: PodNamespace) {
    this.config = config;
    this.root = root;
    this.network = network;
  }

  static async of(image: string, buildah: Buildah, network: PodNamespace): Promise<ImagePod> {
    const { Docker } = JSON.parse(await buildah.run('inspect', '--type', 'image', image)) as {
      Docker: { config: ImageConfig };
    };
    const { root } = await buildah.mounted(image);
    // As engines do.
    for (const folder of ['proc', 'dev']) await mkdir(join(root, folder), { recursive: true });
    return new ImagePod(Docker.config, root, network);
  }

  /** Starts the entry point. */
  async start({ command = this.config.Entrypoint, env = {}, mounts = {}, user = this.config.User }: RunOptions = {}) {
    for (const target of Object.keys(mounts)) await mkdir(join(this.root, target), { recursive: true });
    const binds = Object.entries(mounts).flatMap(([target, source]) => [source, target]);
    const variables = [...this.config.Env, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
    const chroot = ['/usr/sbin/chroot', `--userspec=${user}`, '--groups=', this.root, ...command];
    const inNamespaces = [
      'ip',
      'netns',
      'exec',
      this.network.name,
      'unshare',
      '--mount',
      'sh',
      '-c',
      MOUNT_AND_RUN,
      'sh',
    ];
    const part = new Part([...inNamespaces, this.root, ...binds, '--', ...variables, ...chroot], {});
    this.#started.push(part);
    return part;
  }

  /** Runs it to its end. */
  async run(options: RunOptions): Promise<{ readonly code: number | null; readonly log: string }> {
    const part = await this.start(options);
    await part.ended;
    return { code: part.exitCode, log: part.log };
  }

  async stop(): Promise<void> {
    for (const part of this.#started.splice(0)) await part.end('SIGKILL');
  }
}
