import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { ConfigurationError, codeOf } from '../core/errors.ts';
import { presentProgram } from '../test/e2e/support/cluster-programs.ts';

const exec = promisify(execFile);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const SUMS = 'SHA256SUMS';

/** What an install runs, as `config/images` says; `reference` is where a cluster looks for it. */
export interface ReleasedImage {
  readonly name: string;
  readonly reference: string;
}

/**
 * Puts a release in the place of `folder`, once it is whole.
 * @throws ConfigurationError when a program is not there
 */
async function release(folder: string, say: (text: string) => void): Promise<void> {
  if (!(await isInPath('buildah', '--version')))
    throw new ConfigurationError('release', ['it builds images with buildah, which is not here: install it']);
  const kubectl = await kubectlHere();
  const draft = `${folder}.unfinished`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    await writeRelease(draft, kubectl);
    await rm(folder, { recursive: true, force: true });
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  for (const name of await readdir(folder)) say(name);
}

/** That of the end-to-end tests will do. */
async function kubectlHere(): Promise<string> {
  if (await isInPath('kubectl', 'version', '--client')) return 'kubectl';
  const kubectl = await presentProgram('kubectl', process.env);
  if (kubectl !== undefined) return kubectl;
  throw new ConfigurationError('release', ['it makes release.yaml with kubectl, which is not here: install it']);
}

async function isInPath(program: string, ...args: readonly string[]): Promise<boolean> {
  try {
    await run(program, args);
    return true;
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return false;
  }
}

async function writeRelease(folder: string, kubectl: string): Promise<void> {
  await writeFile(join(folder, 'release.yaml'), await releaseManifest(kubectl));
  await run('npm', ['pack', '--silent', '--pack-destination', folder]);
  const source = await sourceState();
  for (const image of await releasedImages()) await archiveImage(image, source, folder);
  await writeFile(join(folder, SUMS), await sumsOf(folder));
}

/** All manifests of an install, by the kustomize of `kubectl`. */
export function releaseManifest(kubectl: string): Promise<string> {
  return run(kubectl, ['kustomize', 'config/default']);
}

export async function releasedImages(): Promise<readonly ReleasedImage[]> {
  const { images } = parse(await readFile(join(root, 'config/images/kustomization.yaml'), 'utf8')) as {
    images: readonly { readonly name: string; readonly newName?: string; readonly newTag: string }[];
  };
  return images.map(({ name, newName, newTag }) => ({ name, reference: `${newName ?? name}:${newTag}` }));
}

/** The command that builds an image, less its last argument: the folder it is built from. `docker` as HEALTHCHECK asks for. */
export function buildCommand({ name, reference }: ReleasedImage): readonly string[] {
  const file = name.replace('headwater-', 'Dockerfile.');
  return ['buildah', 'build', '--format', 'docker', '-f', file, '-t', reference];
}

/** The commit, and when it was made (seconds of Unix time): of one source, two builds differ in V8's compiled code alone. */
interface SourceState {
  readonly revision: string;
  readonly time: string;
}

async function sourceState(): Promise<SourceState> {
  try {
    const revision = await run('git', ['describe', '--always', '--abbrev=40', '--exclude=*', '--dirty']);
    return { revision: revision.trim(), time: (await run('git', ['log', '-1', '--format=%ct'])).trim() };
  } catch {
    // Not a checkout of git's.
    return { revision: '', time: '0' };
  }
}

async function archiveImage(image: ReleasedImage, { revision, time }: SourceState, folder: string): Promise<void> {
  const [program = '', ...args] = buildCommand(image);
  await run(program, [...args, '--timestamp', time, '--build-arg', `REVISION=${revision}`, '.']);
  const archive = join(folder, `${image.name}-${image.reference.split(':').at(-1)}.tar`);
  await run('buildah', ['push', '--quiet', image.reference, `docker-archive:${archive}:${image.reference}`]);
}

/** As `sha256sum --check` reads it. */
async function sumsOf(folder: string): Promise<string> {
  const lines = (await readdir(folder)).toSorted().map(async (name) => {
    const hash = createHash('sha256');
    await pipeline(createReadStream(join(folder, name)), hash);
    return `${hash.digest('hex')}  ${name}\n`;
  });
  return (await Promise.all(lines)).join('');
}

async function run(program: string, args: readonly string[]): Promise<string> {
  return (await exec(program, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 })).stdout;
}

if (import.meta.main)
  try {
    await release(resolve(process.argv[2] ?? join(root, 'release')), (text) => process.stdout.write(`${text}\n`));
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`npm run release: ${error.problems.join('; ')}\n`);
    process.exitCode = 1;
  }
