import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
/** What tells the reader to do something, and claims nothing. */
const ASKS = /:$|^Then start |^That is in another cluster|remove Headwater, but not the definition/;

/** Without headings, commands and the words before the first step; each on one line. */
function sentencesOf(page: string): string[] {
  const steps = page.slice(page.indexOf('\n## ')).replace(/```[^`]*```/g, '');
  const paragraphs = steps.split(/\n\n+/).filter((text) => !text.trim().startsWith('## '));
  return paragraphs
    .flatMap((text) =>
      text
        .replace(/\s+/g, ' ')
        .trim()
        .split(/(?<=[.:]) (?=[A-Z])/),
    )
    .filter((sentence) => sentence !== '' && !ASKS.test(sentence));
}

describe('docs/migration.md', async () => {
  const sentences = sentencesOf(await readFile(join(root, 'docs/migration.md'), 'utf8'));
  const tests = await readFile(join(root, 'test/e2e/migration.test.ts'), 'utf8');

  it('says something', () => expect(sentences.length).toBeGreaterThan(8));

  it.each(sentences)('has an end-to-end test that is called: %s', (sentence) => expect(tests).toContain(sentence));
});
