import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
const ROW = /^\| [^|]+ \| (MUST|SHOULD|RECOMMENDED|MUST; SHOULD) \| /;

describe('docs/conformance.md', async () => {
  const page = await readFile(join(root, 'docs/conformance.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| asked |'));
  const named = rows.flatMap((row) =>
    Array.from(row.matchAll(/\[([^\]]+)\]\(\.\.\/(test\/[^)]+)\)/g), ([, title = '', file = '']) => ({ title, file })),
  );

  it('has rows, each with its degree and a test', () => {
    expect(rows.length).toBeGreaterThan(20);
    for (const row of rows) {
      expect(row).toMatch(ROW);
      expect(row).toContain('](../test/');
    }
  });

  it.each(named)('names a test that is there: $title', async ({ title, file }) => {
    const text = await readFile(join(root, file), 'utf8');
    const quoted = [`'${title}'`, `"${title}"`];
    expect(quoted.filter((name) => text.includes(`it(${name}`) || text.includes(`describe(${name}`))).toHaveLength(1);
  });

  it('names every test that was written for it', async () => {
    const files = (await readdir(join(root, 'test/conformance'))).map((name) => `test/conformance/${name}`);
    for (const file of files) {
      const text = await readFile(join(root, file), 'utf8');
      const titles = Array.from(text.matchAll(/^ +it\('([^']+)'/gm), ([, title]) => title);
      expect(titles.length).toBeGreaterThan(4);
      expect(named.flatMap((one) => (one.file === file ? one.title : []))).toEqual(expect.arrayContaining(titles));
    }
  });

  it('leads to pages that are there', async () => {
    for (const [, link = ''] of page.matchAll(/\]\(([^)]+\.md)\)/g))
      await expect(readFile(join(root, 'docs', link), 'utf8')).resolves.toContain('#');
  });
});
