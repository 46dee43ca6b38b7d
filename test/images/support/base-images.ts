import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Buildah } from './buildah.ts';

const exec = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const DEBIAN = 'trixie';
const PULL_MS = 120_000;
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
/** What distroless/cc has of Debian. */
const LIBRARIES = ['base-files', 'tzdata', 'libc6', 'libgcc-s1', 'libstdc++6'];

/** What the Dockerfiles build in, and what they start from. */
export interface BaseImages {
  readonly build: string;
  readonly final: string;
}

export async function baseImages(): Promise<BaseImages> {
  const found = new Set<string>();
  for (const file of (await readdir(root)).filter((name) => name.startsWith('Dockerfile.')))
    for (const [, image = ''] of (await readFile(join(root, file), 'utf8')).matchAll(/^FROM (\S+)/gm)) found.add(image);
  const [build, final, ...others] = found;
  if (build === undefined || final === undefined || others.length > 0)
    throw new Error(`the Dockerfiles are to start from the same two images, not from ${[...found].join(', ')}`);
  return { build, final };
}

/**
 * Has `buildah` know the base images: pulled where their registries can be reached, else made like them of Debian's packages
 * and this Node, once, and kept outside of the checkout. Returns which it was.
 */
export async function provideBaseImages(
  buildah: Buildah,
  say: (text: string) => void,
): Promise<'pulled' | 'made here'> {
  const { build, final } = await baseImages();
  try {
    for (const image of [build, final])
      await exec('buildah', ['pull', '--quiet', image], { env: buildah.env, timeout: PULL_MS });
    return 'pulled';
  } catch {
    const folder = await madeImages({ build, final }, buildah, say);
    for (const name of ['build', 'final'])
      await buildah.run('pull', '--quiet', `docker-archive:${join(folder, name)}.tar`);
    return 'made here';
  }
}

/** The folder with an archive of each, made when it is not there yet. */
async function madeImages(images: BaseImages, buildah: Buildah, say: (text: string) => void): Promise<string> {
  const { stdout: registry } = await exec('npm', ['config', 'get', 'registry'], { cwd: root });
  const certificates = await readFile(CERTIFICATES);
  const key = createHash('sha256')
    .update(await readFile(import.meta.filename))
    .update(JSON.stringify(images));
  const hash = key.update(process.version).update(registry).update(certificates).digest('hex').slice(0, 16);
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'headwater', 'base-images', hash);
  if (
    await access(folder).then(
      () => true,
      () => false,
    )
  )
    return folder;
  const startedAt = Date.now();
  say(`making images like ${images.build} and ${images.final} (once; kept in ${folder})`);
  const draft = `${folder}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  try {
    const debian = await makeBuildImage(images.build, {
      buildah,
      archive: join(draft, 'build.tar'),
      registry: registry.trim(),
    });
    await makeFinalImage(images.final, { buildah, archive: join(draft, 'final.tar'), debian });
    await rename(draft, folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  say(`made them in ${Math.round((Date.now() - startedAt) / 1000)} s`);
  return folder;
}

/** Debian, Node and npm; trusts whom this machine trusts, and uses its registry. Returns where its root is. */
async function makeBuildImage(
  name: string,
  { buildah, archive, registry }: { buildah: Buildah; archive: string; registry: string },
): Promise<string> {
  const container = await buildah.run('from', 'scratch');
  const folder = await buildah.run('mount', container);
  await exec('debootstrap', ['--variant=minbase', DEBIAN, folder], { env: buildah.env, maxBuffer: 16 * 1024 * 1024 });
  await mkdir(dirname(join(folder, CERTIFICATES)), { recursive: true });
  await copyFile(CERTIFICATES, join(folder, CERTIFICATES));
  await copyFile(process.execPath, join(folder, 'usr/local/bin/node'));
  // npm/bin/npm-cli.js, wherever this machine has it.
  const { stdout: npm } = await exec('bash', ['-c', 'realpath "$(command -v npm)"']);
  const copy = join(folder, 'usr/local/lib/node_modules/npm');
  await cp(dirname(dirname(npm.trim())), copy, { recursive: true, verbatimSymlinks: true });
  await writeFile(
    join(folder, 'usr/local/bin/npm'),
    "#!/usr/bin/env node\nrequire('../lib/node_modules/npm/lib/cli.js')(process);\n",
    { mode: 0o755 },
  );
  const env = {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    NODE_EXTRA_CA_CERTS: CERTIFICATES,
    npm_config_registry: registry,
  };
  await keep(container, { name, buildah, archive, env });
  return folder;
}

/** Of `debian`, a Debian's root, the libraries alone. */
async function makeFinalImage(
  name: string,
  { buildah, archive, debian }: { buildah: Buildah; archive: string; debian: string },
): Promise<void> {
  const container = await buildah.run('from', 'scratch');
  const folder = await buildah.run('mount', container);
  const script =
    'dpkg-query --admindir="$0/var/lib/dpkg" -L "$@" | sed "s|^/|./|" | tar -C "$0" -c --no-recursion -T - | tar -C "$TO" -xp';
  await exec('bash', ['-o', 'pipefail', '-c', script, debian, ...LIBRARIES], { env: { ...buildah.env, TO: folder } });
  await mkdir(dirname(join(folder, CERTIFICATES)), { recursive: true });
  await copyFile(CERTIFICATES, join(folder, CERTIFICATES));
  await writeFile(
    join(folder, 'etc/passwd'),
    'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  );
  await keep(container, {
    name,
    buildah,
    archive,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', SSL_CERT_FILE: CERTIFICATES },
  });
}

async function keep(
  container: string,
  {
    name,
    buildah,
    archive,
    env,
  }: { name: string; buildah: Buildah; archive: string; env: Readonly<Record<string, string>> },
): Promise<void> {
  await buildah.run(
    'config',
    ...Object.entries(env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
    container,
  );
  await buildah.run('commit', '--quiet', '--format', 'docker', container, name);
  await buildah.run('push', '--quiet', name, `docker-archive:${archive}:${name}`);
}
