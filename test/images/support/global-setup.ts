import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { provideBaseImages } from './base-images.ts';
import { Buildah, buildahIn } from './buildah.ts';

const root = join(import.meta.dirname, '../../..');

declare module 'vitest' {
  interface ProvidedContext {
    /** What makes buildah find the images. */
    buildahEnv: Readonly<Record<string, string>>;
    /** The folder `npm run release` wrote. */
    release: string;
  }
}

/** Makes a release, images and all, in storage of this run's own. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-images-'));
  const tearDown = async () => {
    // Buildah's own bind mounts end with it; what one left behind must not be deleted through.
    if ((await readFile('/proc/mounts', 'utf8')).includes(folder))
      throw new Error(`something is mounted below ${folder}`);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const say = (text: string) => process.stdout.write(`${text}\n`);
    const env = await buildahIn(join(folder, 'buildah'));
    const buildah = new Buildah(env);
    const startedAt = Date.now();
    say(`base images: ${await provideBaseImages(buildah, say)}`);
    const release = join(folder, 'release');
    await promisify(execFile)(process.execPath, ['scripts/release.ts', release], { cwd: root, env: buildah.env });
    say(`released in ${Math.round((Date.now() - startedAt) / 1000)} s`);
    project.provide('buildahEnv', env);
    project.provide('release', release);
    return tearDown;
  } catch (error) {
    await tearDown();
    throw error;
  }
}
