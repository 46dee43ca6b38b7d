import { execFile } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { buildCommand, releasedImages, SUMS } from '../../scripts/release.ts';
import { Buildah, buildahIn } from './support/buildah.ts';

const exec = promisify(execFile);
const release = inject('release');
const { version } = packageJson;
const images = await releasedImages();
const archiveOf = (name: string) => `${name}-${version}.tar`;

it('holds manifests, package, images and checksums, nothing else', async () => {
  const names = [SUMS, `headwater-${version}.tgz`, 'release.yaml', ...images.map(({ name }) => archiveOf(name))];
  expect((await readdir(release)).toSorted()).toEqual(names.toSorted());
  for (const { name } of images) {
    const { size } = await stat(join(release, archiveOf(name)));
    process.stdout.write(`${archiveOf(name)}: ${(size / 1e6).toFixed(1)} MB\n`);
  }
});

it('has checksums of all else that sha256sum finds right', async () => {
  const { stdout } = await exec('sha256sum', ['--check', '--strict', SUMS], { cwd: release });
  const others = (await readdir(release)).filter((name) => name !== SUMS);
  expect(stdout.trim().split('\n').toSorted()).toEqual(others.map((name) => `${name}: OK`).toSorted());
});

it('has the images its manifests name, as archives that can be loaded', async () => {
  const text = await readFile(join(release, 'release.yaml'), 'utf8');
  const named = Array.from(text.matchAll(/^\s+(?:- )?image: (\S+)$/gm), ([, image]) => image);
  expect([...new Set(named)].toSorted()).toEqual(images.map(({ reference }) => reference).toSorted());
  const built = new Buildah(inject('buildahEnv'));
  const elsewhere = new Buildah(await buildahIn(join(dirname(release), 'elsewhere')));
  for (const { name, reference } of images) {
    const loaded = await elsewhere.run('pull', '--quiet', `docker-archive:${join(release, archiveOf(name))}`);
    expect(await built.run('images', '--quiet', '--no-trunc', reference)).toBe(`sha256:${loaded}`);
  }
});

it('has a manifest of every object, in an order in which they can be made', async () => {
  const kinds = parseAllDocuments(await readFile(join(release, 'release.yaml'), 'utf8')).map(
    (document) => (document.toJS() as { kind: string }).kind,
  );
  expect(kinds.slice(0, 2)).toEqual(['Namespace', 'Namespace']);
  expect(kinds.indexOf('CustomResourceDefinition')).toBeLessThan(kinds.indexOf('Deployment'));
});

it('was built by the commands that docs/install.md names', async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/install.md'), 'utf8');
  const commands = images.map((image) => `$ ${buildCommand(image).join(' ')} .`);
  expect(page.split('\n').filter((line) => line.startsWith('$ buildah build'))).toEqual(commands);
});
