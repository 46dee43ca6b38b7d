import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergePatch } from '../../controller/kube/merge-patch.ts';

type Json = Record<string, unknown>;

/** RFC 7386, section 2. */
function applied(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Json = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = applied(result[name], value);
  }
  return result;
}

describe('mergePatch', () => {
  const rows: { from: Json; to: Json; patch: Json }[] = [
    { from: {}, to: {}, patch: {} },
    { from: { a: 1, b: 2 }, to: { a: 1 }, patch: { b: null } },
    { from: { a: { b: 1, c: 2 } }, to: { a: { b: 3 } }, patch: { a: { b: 3, c: null } } },
    { from: { a: [1, 2] }, to: { a: [1, 2] }, patch: {} },
    { from: { a: [1, 2] }, to: { a: [2] }, patch: { a: [2] } },
    { from: { a: 1 }, to: { a: undefined }, patch: { a: null } },
    { from: { a: [] }, to: { a: { b: 1 } }, patch: { a: { b: 1 } } },
  ];
  for (const { from, to, patch } of rows) {
    it(`${JSON.stringify(from)} to ${JSON.stringify(to)}`, () => expect(mergePatch(from, to)).toEqual(patch));
  }

  it('applied as RFC 7386 says, makes the one of the other', () => {
    const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }));
    const key = fc.constantFrom('a', 'b', 'c');
    const { node } = fc.letrec<{ node: Json }>((tie) => ({
      node: fc.dictionary(key, fc.oneof({ depthSize: 'small' }, leaf, tie('node')), {
        maxKeys: 3,
      }),
    }));
    fc.assert(
      fc.property(node, node, (from, to) => {
        expect(applied(from, mergePatch(from, to))).toEqual(to);
      }),
    );
  });
});
