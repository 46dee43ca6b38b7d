import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { releasedImages, SUMS } from '../../scripts/release.ts';

let folder: string;
let bin: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-release-'));
  bin = join(folder, 'bin');
  await mkdir(bin);
  await mkdir(join(folder, 'out/release'), { recursive: true });
  await writeFile(join(folder, 'out/release/earlier'), '');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Writes what it is told to write, and nothing else. */
const programs = {
  buildah:
    'for last; do :; done; case $1 in push) file=${last#docker-archive:}; echo image > "${file%%.tar:*}.tar";; esac',
  kubectl: 'case $1 in kustomize) echo "kind: Namespace";; esac',
  npm: 'for last; do :; done; echo package > "$last/headwater.tgz"',
};

async function release(present: Readonly<Record<string, string>>) {
  for (const [name, script] of Object.entries(present))
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await symlink(process.execPath, join(bin, 'node'));
  const env = { PATH: bin, HOME: folder };
  const script = join(dirname(dirname(import.meta.dirname)), 'scripts/release.ts');
  const { code = 0, stderr } = (await promisify(execFile)(process.execPath, [script, join(folder, 'out/release')], {
    env,
  }).catch((error: { code: number; stderr: string }) => error)) as { code?: number; stderr: string };
  return { code, stderr, left: await readdir(join(folder, 'out')), files: await readdir(join(folder, 'out/release')) };
}

const { buildah, kubectl, npm } = programs;
const missing = [
  {
    name: 'buildah',
    present: { kubectl, npm },
    says: 'npm run release: it builds images with buildah, which is not here: install it\n',
  },
  {
    name: 'kubectl',
    present: { buildah, npm },
    says: 'npm run release: it makes release.yaml with kubectl, which is not here: install it\n',
  },
];
for (const { name, present, says } of missing)
  it(`says in a sentence that ${name} is not there, and leaves the release before`, async () => {
    expect(await release(present)).toEqual({ code: 1, stderr: says, left: ['release'], files: ['earlier'] });
  });

it('leaves the release before, and no half one, where a step fails', async () => {
  const ended = await release({ ...programs, npm: 'echo no space >&2; exit 1' });
  expect(ended).toMatchObject({ code: 1, left: ['release'], files: ['earlier'] });
  expect(ended.stderr).toContain('no space');
});

it('takes the place of the release before, whole', async () => {
  const archives = (await releasedImages()).map(({ name, reference }) => `${name}-${reference.split(':')[1]}.tar`);
  const ended = await release(programs);
  const files = [SUMS, 'headwater.tgz', 'release.yaml', ...archives].toSorted();
  expect({ ...ended, files: ended.files.toSorted() }).toEqual({ code: 0, stderr: '', left: ['release'], files });
  const sums = await readFile(join(folder, 'out/release', SUMS), 'utf8');
  expect(
    sums
      .trim()
      .split('\n')
      .map((line) => line.slice(66)),
  ).toEqual(files.filter((name) => name !== SUMS));
});
