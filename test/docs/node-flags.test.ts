import { glob, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { nodeEnv, nodeFlags } from '../../scripts/node-flags.ts';

const root = join(import.meta.dirname, '../..');

/** Where a page or an image runs the bundle: a command line, or the JSON of an ENTRYPOINT. */
async function commandsOf(bundle: string): Promise<string[]> {
  const found: string[] = [];
  for await (const file of glob(['*.md', 'docs/**/*.md', 'Dockerfile*'], { cwd: root }))
    for (const line of (await readFile(join(root, file), 'utf8')).split('\n'))
      if (new RegExp(`\\bnode\\b.*\\b${bundle}\\b`).test(line)) found.push(`${file}: ${line}`);
  return found;
}

it.each(Object.entries(nodeFlags))('whatever runs the %s gives Node its flags', async (plane, flags) => {
  const commands = await commandsOf(`${plane}.js`);
  expect(commands.length).toBeGreaterThan(0);
  for (const command of commands) for (const flag of flags) expect(command).toContain(flag);
});

it('images set its variables', async () => {
  const images = (await readdir(root)).filter((name) => name.startsWith('Dockerfile'));
  expect(images.length).toBeGreaterThan(0);
  for (const image of images)
    for (const [name, value] of Object.entries(nodeEnv))
      expect(await readFile(join(root, image), 'utf8')).toContain(`\nENV ${name}=${value}\n`);
});
