import { describe, expect, it } from 'vitest';
import { memoryLimit } from '../../core/memory-limit.ts';

describe('memoryLimit', () => {
  const rows = [
    { name: 'the limit of the container', constrained: 268_435_456, limit: 268_435_456 },
    { name: 'the memory of the machine where none is known', constrained: 0, limit: 8e9 },
    { name: 'the memory of the machine where the container has none', constrained: 2 ** 63, limit: 8e9 },
  ];
  it.each(rows)('is $name', ({ constrained, limit }) => expect(memoryLimit(constrained, 8e9)).toBe(limit));
});
