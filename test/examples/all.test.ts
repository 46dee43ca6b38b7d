import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exampleFolder } from '../support/example-run.ts';
import { headwater } from '../support/headwater.ts';

const examples = await readdir(exampleFolder('.'));

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
