import { describe, expect, it } from 'vitest';
import { closestTo } from '../../core/closest.ts';

describe('closestTo', () => {
  const names = ['push', 'pull_request', 'issues', 'issue_comment', 'watch'];
  const rows: [string, string | undefined][] = [
    ['pull_requests', 'pull_request'],
    ['pullrequest', 'pull_request'],
    ['isue', undefined],
    ['issue', 'issues'],
    ['Push', 'push'],
    ['issue_coment', 'issue_comment'],
    ['swatch', 'watch'],
    ['something_else', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of rows)
    it(`"${text}": ${expected}`, () => expect(closestTo(text, names)).toBe(expected));
});
