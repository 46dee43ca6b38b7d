import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What makes every buildah that is given it work as root, without a daemon or a kernel's overlays, in `folder` alone. */
export async function buildahIn(folder: string): Promise<Readonly<Record<string, string>>> {
  await mkdir(folder, { recursive: true });
  const storage = join(folder, 'storage.conf');
  const lines = ['[storage]', 'driver = "vfs"', `graphroot = "${folder}/storage"`, `runroot = "${folder}/run"`];
  await writeFile(storage, `${lines.join('\n')}\n`);
  return { CONTAINERS_STORAGE_CONF: storage, BUILDAH_ISOLATION: 'chroot', TMPDIR: folder };
}

export class Buildah {
  readonly env: NodeJS.ProcessEnv;

  constructor(env: Readonly<Record<string, string>>) {
    this.env = { ...process.env, ...env };
  }

  /** @throws with its words */
  async run(...args: string[]): Promise<string> {
    const { stdout } = await run('buildah', args, { env: this.env, maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  }

  /** A container of the image, and where its root is. */
  async mounted(image: string): Promise<{ readonly container: string; readonly root: string }> {
    const container = await this.run('from', '--pull-never', image);
    return { container, root: await this.run('mount', container) };
  }
}
