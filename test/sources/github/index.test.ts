import { expect, it } from 'vitest';
import { github } from '../../../sources/github/index.ts';

it('leaves time to reply before GitHub closes the connection, after 10 s', () => {
  expect(github.replyBudgetMs).toBeGreaterThan(5000);
  expect(github.replyBudgetMs).toBeLessThanOrEqual(9000);
});
