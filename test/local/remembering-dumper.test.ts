import { expect, it } from 'vitest';
import { MOST_REMEMBERED, remember } from '../../local/remembering-dumper.ts';

it('remembers the last events, and not ever more of them', () => {
  const received = new Map<string, string>();
  remember(received, 'first', 'a');
  for (let index = 0; index < MOST_REMEMBERED; index += 1) remember(received, `${index}`, 'b');
  expect([received.size, received.has('first'), received.has('0')]).toEqual([MOST_REMEMBERED, false, true]);
});
