import { describe, expect, it } from 'vitest';
import { claimOf } from '../../controller/claim.ts';
import type { SourceObject } from '../../controller/objects.ts';

const isOurs = claimOf({ metadata: { uid: '0a1b2c3d' } } as SourceObject);

describe('a webhook is for a source', () => {
  const ours = [
    'https://hooks.example.com/hooks/0a1b2c3d',
    'http://old.example.com:8080/hooks/0a1b2c3d',
    'https://x.example.com/base/hooks/0a1b2c3d?a=b',
  ];
  it.each(ours)('when its path ends so, whatever scheme, host, base and query: %s', (url) => {
    expect(isOurs({ id: '1', url })).toBe(true);
  });

  const others = ['https://x.example.com/hooks/0a1b2c3d/more', 'https://x.example.com/?/hooks/0a1b2c3d', 'no URL', ''];
  it.each(others)('and no other: %s', (url) => {
    expect(isOurs({ id: '1', url })).toBe(false);
  });
});
