import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';

/** The packages whose files went into a bundle, as paths from the root of the repository. */
export function bundledPackages({ inputs }: Metafile): string[] {
  const found = Object.keys(inputs).map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(found.filter((folder) => folder !== undefined))].toSorted();
}

/**
 * Name, version, licence and the licence's own text of each package, since most licences ask for it wherever copies go.
 * @throws Error when a package names no licence.
 */
export async function licenseTexts(root: string, folders: readonly string[]): Promise<string> {
  const sections = await Promise.all(folders.map((folder) => sectionOf(join(root, folder))));
  return `Headwater's bundles hold these packages.\n\n${sections.join('\n')}`;
}

async function sectionOf(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, string>;
  const { name, version, license } = manifest;
  if (!license) throw new Error(`${name} names no licence`);
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return [`${'-'.repeat(80)}\n${name} ${version} (${license})\n`, ...texts].join('\n');
}
