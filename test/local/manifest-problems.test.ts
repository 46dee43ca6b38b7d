import { describe, expect, it } from 'vitest';
import { localKinds } from '../../local/kinds.ts';
import { type ManifestText, readManifests } from '../../local/manifests.ts';

const kinds = await localKinds();
const read = (text: string): ManifestText => readManifests(text, 'f.yaml', kinds);

/** The text of a Secret, whose lines after the fourth are `rest`. */
const secret = (rest: string, name = 'a') => `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\n${rest}`;

/** `5: message`, for each problem. */
function problemsIn(text: string): string[] {
  return read(text).problems.map(({ line, message }) => `${line}: ${message}`);
}

describe('what is wrong is told with its line', () => {
  const source = (rest: string) =>
    `apiVersion: sources.knative.dev/v1alpha1\nkind: GitHubSource\nmetadata:\n  name: a\nspec:\n${rest}`;
  const spec = [
    '  ownerAndRepository: a/b\n  eventTypes: [push]\n  secretToken: { secretKeyRef: { name: a, key: b } }',
    '  sink: { uri: http://example.com }\n',
  ].join('\n');
  const listed = `kind: List\nitems:\n- ${secret('').replaceAll('\n', '\n  ')}\n- ${secret('foo: 1', 'B_').replaceAll('\n', '\n  ')}`;
  const rows: { name: string; text: string; problems: string[] }[] = [
    { name: 'a quote that is not closed', text: secret('type: "x\n'), problems: ['6: Missing closing "quote'] },
    { name: 'a tab', text: secret('data:\n\ta: b\n'), problems: ['6: Tabs are not allowed as indentation'] },
    {
      name: 'an indent',
      text: secret('data:\n   a: b\n  c: d\n'),
      problems: ['7: All mapping items must start at the same column'],
    },
    { name: 'a key given twice', text: secret('data: {}\ndata: {}\n'), problems: ['6: Map keys must be unique'] },
    { name: 'a tag', text: secret('type: !mine x\n'), problems: ['5: Unresolved tag: !mine'] },
    {
      name: 'an alias of nothing',
      text: secret('stringData:\n  a: *b\n  b: &b x\n'),
      problems: ['6: there is no anchor &b before this alias'],
    },
    {
      name: 'a list',
      text: '# x\n- a\n',
      problems: ['2: this is no Kubernetes object: it needs apiVersion, kind and metadata'],
    },
    {
      name: 'a word',
      text: '---\nhello\n',
      problems: ['2: this is no Kubernetes object: it needs apiVersion, kind and metadata'],
    },
    { name: 'no kind', text: 'metadata: { name: a }\n', problems: ['1: apiVersion and kind must say what this is'] },
    {
      name: 'no metadata',
      text: '---\napiVersion: v1\nkind: Secret\nmetadata:\n',
      problems: ['2: metadata.name is missing'],
    },
    {
      name: 'no name',
      text: 'apiVersion: v1\nkind: Secret\nmetadata: {}\n',
      problems: ['3: metadata.name is missing'],
    },
    {
      name: 'metadata of another type',
      text: 'apiVersion: v1\nkind: Secret\nmetadata: [a]\n',
      problems: ['3: metadata must be an object, not an array'],
    },
    { name: 'a number as name', text: secret('', '12'), problems: ['4: metadata.name must be a string, not a number'] },
    ...['Hello', 'a_b', '-a', 'a-', 'a..b', 'a/b', 'é'].map((bad) => ({
      name: `the name ${bad}`,
      text: secret('', bad),
      problems: [expect.stringContaining('4: metadata.name must match pattern') as string],
    })),
    {
      name: 'the namespace a.b',
      text: secret('').replace('name: a', 'name: a\n  namespace: a.b'),
      problems: [expect.stringContaining('5: metadata.namespace must match pattern') as string],
    },
    {
      name: 'half of a Base64 group',
      text: secret('data:\n  a: abc=d\n'),
      problems: [
        expect.stringMatching(
          /^6: data\.a must match pattern .*\(Base64; plain text goes into stringData\)$/,
        ) as string,
      ],
    },
    {
      name: 'an unknown field',
      text: source(`${spec}  evntTypes: [push]\n`),
      problems: ['10: unknown field spec.evntTypes; did you mean eventTypes?'],
    },
    {
      name: 'a missing field, at what lacks it',
      text: source(spec.replace(/ {2}eventTypes.*\n/, '')),
      problems: ['5: spec.eventTypes is missing'],
    },
    {
      name: 'a wrong type',
      text: source(spec.replace('[push]', 'push')),
      problems: ['7: spec.eventTypes must be an array, not a string'],
    },
    {
      name: 'a wrong type in a list',
      text: source(spec.replace('[push]', '\n  - push\n  - 3')),
      problems: ['9: spec.eventTypes[1] must be a string, not a number'],
    },
    {
      name: 'a broken rule',
      text: source(spec.replace('uri: http://example.com', '')),
      problems: ['9: spec.sink: set ref (an object) or uri (a URL)'],
    },
    {
      name: 'in a second document',
      text: `${secret('')}---\n# b\n${secret('foo: 1\n', 'b')}`,
      problems: [expect.stringContaining('11: unknown field foo') as string],
    },
  ];
  for (const { name, text, problems } of rows) it(name, () => expect(problemsIn(text)).toEqual(problems));

  it('in a List, at the line of the item', () => {
    const { manifests, problems } = read(listed);
    expect(manifests.map(({ line }) => line)).toEqual([3]);
    expect(problems.map(({ line, message }) => `${line}: ${message.slice(0, 17)}`)).toEqual([
      '11: metadata.name mus',
      '12: unknown field foo',
    ]);
  });

  it('a mistake that brings many others is told in a few lines', () => {
    expect(problemsIn('['.repeat(5000)).length).toBeLessThan(10);
  });
});

describe('texts that are made to be too much', () => {
  const doubled = (step: (name: string, before: string) => string) =>
    ['a0: &a0 { k: x }', ...Array.from({ length: 30 }, (_, index) => step(`a${index + 1}`, `*a${index}`))].join('\n');
  const rows: { name: string; text: string; problem: string }[] = [
    {
      name: 'aliases of aliases',
      text: doubled((name, before) => `${name}: &${name} [${before}, ${before}]`),
      problem: 'Excessive alias count',
    },
    {
      name: 'merges of merges',
      text: doubled((name, before) => `${name}: &${name}\n  <<: [${before}, ${before}]`),
      problem: 'Excessive alias count',
    },
    { name: 'an alias of what it stands in', text: secret('stringData: &a\n  x: *a\n'), problem: 'circular' },
  ];
  for (const { name, text, problem } of rows)
    it(`${name}: a problem at its document, and the other documents are read`, () => {
      const started = performance.now();
      const { manifests, problems } = read(`${secret('')}---\n${text}\n---\n${secret('', 'b')}`);
      expect(problems).toEqual([{ file: 'f.yaml', line: 6, message: expect.stringContaining(problem) as string }]);
      expect(manifests.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
      expect(performance.now() - started).toBeLessThan(2000);
    });
});
