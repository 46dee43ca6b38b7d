import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleFolder } from '../support/example-run.ts';
import { headwater } from '../support/headwater.ts';

const entries = await readdir(exampleFolder('.'), { withFileTypes: true });
const examples = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
const page = await readFile(join(import.meta.dirname, '../../docs/workflows.md'), 'utf8');
const wired = examples.filter((name) => existsSync(exampleFolder(`${name}/wire.yaml`)));

describe.each(examples)('the picture of %s', (name) => {
  const folder = exampleFolder(name);

  it('is what headwater graph draws', async () => {
    const { code, stdout, stderr } = await headwater('graph', '-f', folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await expect(stdout).toMatchFileSnapshot(join(folder, 'events.svg'));
  });

  it('is shown on its page', async () => {
    expect(await readFile(join(folder, 'README.md'), 'utf8')).toContain('](events.svg)');
  });
});

describe.each(wired)('headwater wire of %s', (name) => {
  const folder = exampleFolder(name);

  it('plans what the golden file has', async () => {
    const { code, stdout, stderr } = await headwater('wire', 'plan', '-f', folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await expect(stdout).toMatchFileSnapshot(`../golden/examples/${name}.yaml`);
  });

  it('finds nothing to say', async () => {
    expect(await headwater('wire', 'check', '-f', folder)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('and its wiring file are as long as the page on workflows says', async () => {
    const config = await readFile(join(folder, 'wire.yaml'), 'utf8');
    const lines = config.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const { stdout } = await headwater('wire', 'plan', '-f', folder);
    const counted = `0, and ${lines.length} lines of \`wire.yaml\` | ${stdout.split('---\n').length} |`;
    expect(page.split('\n').find((line) => line.startsWith(`| [${name}](`))).toContain(counted);
  });
});

it('functions of examples ask for the packages they are tested with', async () => {
  const packageOf = async (path: string) => JSON.parse(await readFile(path, 'utf8')) as Record<string, object>;
  const own = await packageOf(exampleFolder('../package.json'));
  const files = await readdir(exampleFolder('.'), { recursive: true });
  const packages = files.filter((file) => file.endsWith('/package.json') && !file.includes('node_modules'));
  expect(packages).toHaveLength(2);
  for (const file of packages) {
    const { dependencies } = await packageOf(exampleFolder(file));
    expect(own['devDependencies']).toMatchObject(dependencies ?? {});
  }
});
