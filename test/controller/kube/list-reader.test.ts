import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { LONGEST_TEXT, readList } from '../../../controller/kube/list-reader.ts';

/** Also of quotes, brackets and backslashes, as in an annotation that holds JSON. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', '{', ']', 'ü', '𐍈') }),
);
const item = fc.record({
  metadata: fc.record({ name: text, annotations: fc.dictionary(text, text) }),
  rest: fc.jsonValue(),
});
const list = fc.record(
  {
    kind: text,
    metadata: fc.record({ resourceVersion: text, continue: text }, { requiredKeys: ['resourceVersion'] }),
    items: fc.oneof({ weight: 5, arbitrary: fc.array(item) }, fc.constant(null)),
    remainder: text,
  },
  { noNullPrototype: true },
);
const indents = fc.constantFrom(undefined, 1, '\t');

/** Cut into pieces of these lengths, again and again. */
async function* pieces(bytes: Uint8Array, lengths: readonly number[]): AsyncIterable<Uint8Array> {
  let from = 0;
  for (let index = 0; from < bytes.length; index += 1) {
    const length = lengths[index % lengths.length] ?? bytes.length;
    // A copy: what a socket read into is not read twice.
    yield Uint8Array.from(bytes.subarray(from, from + length));
    from += length;
  }
}

async function read(bytes: Uint8Array, lengths: readonly number[]) {
  const items: unknown[] = [];
  const metadata = await readList(pieces(bytes, lengths), (each) => items.push(each));
  return { metadata, items };
}

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });

it('reads what JSON.parse reads, wherever its bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(list, indents, lengths, async (whole, indent, cuts) => {
      const bytes = new TextEncoder().encode(`${JSON.stringify(whole, undefined, indent)}\n`);
      const { metadata, items } = JSON.parse(new TextDecoder().decode(bytes)) as typeof whole;
      expect(await read(bytes, cuts)).toEqual({ metadata, items: items ?? [] });
    }),
    { numRuns: 1000 },
  );
});

it('takes no list for whole that was broken off', async () => {
  const bytes = new TextEncoder().encode('{"metadata":{"resourceVersion":"7"},"items":[{"a":"]}"},{"b":[{}]}]}');
  for (let end = 0; end < bytes.length; end += 1) {
    await expect(read(bytes.subarray(0, end), [5])).rejects.toThrow(SyntaxError);
  }
  expect(await read(bytes, [5])).toEqual({ metadata: { resourceVersion: '7' }, items: [{ a: ']}' }, { b: [{}] }] });
});

it('tells of an item before the next one comes', async () => {
  const steps: string[] = [];
  async function* slowly() {
    for (const piece of ['{"metadata":{"resourceVersion":"7"},"items":[{"a":1}', ',{"a":', '2}', ']}']) {
      steps.push(piece);
      yield new TextEncoder().encode(piece);
    }
  }
  await readList(slowly(), (each) => steps.push(`item ${JSON.stringify(each)}`));
  expect(steps.slice(1)).toEqual(['item {"a":1}', ',{"a":', '2}', 'item {"a":2}', ']}']);
});

it('has a digest for a long text of an item, the same wherever it is cut', async () => {
  const long = '"\\ü'.repeat(LONGEST_TEXT);
  const readWith = (annotation: string, cuts: readonly number[]) => {
    const page = {
      metadata: { resourceVersion: '7', continue: 'c'.repeat(2 * LONGEST_TEXT) },
      items: [[annotation, 'b']],
    };
    return read(new TextEncoder().encode(JSON.stringify(page)), cuts);
  };
  const longest = 'a'.repeat(LONGEST_TEXT);
  expect((await readWith(longest, [100])).items).toEqual([[longest, 'b']]);
  const whole = await readWith(long, [1e6]);
  expect(whole.items).toEqual([[expect.stringMatching(/^[0-9a-f]{64}$/), 'b']]);
  expect(whole.metadata.continue).toHaveLength(2 * LONGEST_TEXT);
  for (const cuts of [[1], [3, 7], [4095], [4096], [4097]]) expect(await readWith(long, cuts)).toEqual(whole);
  expect(await readWith(`${long}.`, [1e6])).not.toEqual(whole);
  expect(await readWith(`.${long}`, [1000])).not.toEqual(whole);
});
