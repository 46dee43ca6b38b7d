import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');
/** A reason is written where it is given: as the first word of `blocked`, or as a field. */
const REASON = /(?:\bblocked\(\s*|\breason: )'([A-Z][A-Za-z]+)'/g;
/** Of a condition of its own, which docs/migration.md is about. */
const ELSEWHERE = ['LeaseRenewed'];

async function reasonsInCode(): Promise<string[]> {
  const files = (await readdir(join(root, 'controller'))).filter((name) => name.endsWith('.ts'));
  const texts = await Promise.all(files.map((name) => readFile(join(root, 'controller', name), 'utf8')));
  const found = texts.flatMap((text) => [...text.matchAll(REASON)].flatMap(([, reason]) => reason ?? []));
  return [...new Set(found)].filter((reason) => !ELSEWHERE.includes(reason)).toSorted();
}

describe('docs/sources/githubsource.md', async () => {
  const page = await readFile(join(root, 'docs/sources/githubsource.md'), 'utf8');
  const reasons = await reasonsInCode();

  it('has reasons to explain', () => expect(reasons.length).toBeGreaterThan(30));

  it.each(reasons)('explains %s', (reason) => expect(page).toContain(`\`${reason}\``));
});
