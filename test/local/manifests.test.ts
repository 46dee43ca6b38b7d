import { describe, expect, it } from 'vitest';
import { localKinds } from '../../local/kinds.ts';
import { type ManifestText, readManifests } from '../../local/manifests.ts';

const kinds = await localKinds();
const read = (text: string): ManifestText => readManifests(text, 'f.yaml', kinds);

/** The text of a Secret, whose lines after the fourth are `rest`. */
const secret = (rest: string, name = 'a') => `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\n${rest}`;

/** `Secret default/a:1`: what was read, and the line it begins at; a problem throws. */
function namesIn(text: string): string[] {
  const { manifests, problems } = read(text);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return manifests.map(({ kind, metadata, line }) => `${kind} ${metadata.namespace}/${metadata.name}:${line}`);
}

/** The values of the Secrets, one after the other. */
function valuesIn(text: string): Record<string, string>[] {
  expect(read(text).problems).toEqual([]);
  return read(text).manifests.map(({ data }) =>
    Object.fromEntries([...(data ?? [])].map(([key, value]) => [key, value.toString('utf8')])),
  );
}

/** `5: message`, for each problem; and nothing else was read. */
function problemsIn(text: string): string[] {
  const { manifests, problems } = read(text);
  expect(manifests).toEqual([]);
  return problems.map(({ line, message }) => `${line}: ${message}`);
}

describe('objects are found', () => {
  const broker = 'apiVersion: eventing.knative.dev/v1\nkind: Broker\nmetadata: { name: b, namespace: demo }\n';
  const rows: { name: string; text: string; found: string[] }[] = [
    {
      name: 'in several documents',
      text: `${secret('')}---\n${broker}`,
      found: ['Secret default/a:1', 'Broker demo/b:6'],
    },
    {
      name: 'in a List',
      text: `kind: List\napiVersion: v1\nitems:\n${secret('').replace(/^/gm, '  ').replace('  api', '- api')}`,
      found: ['Secret default/a:4'],
    },
    { name: 'in an empty List: none', text: 'apiVersion: v1\nkind: List\nitems: []\n', found: [] },
    {
      name: 'in a List of one kind',
      text: `kind: SecretList\napiVersion: v1\nitems: [{ apiVersion: v1, kind: Secret, metadata: { name: a } }]`,
      found: ['Secret default/a:3'],
    },
    {
      name: 'in JSON',
      text: JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } }, null, 2),
      found: ['Secret default/a:1'],
    },
    { name: 'in nothing: none', text: '', found: [] },
    { name: 'in comments: none', text: '# hello\n', found: [] },
    { name: 'in empty documents: none', text: '---\n---\n# x\n---\n...\n', found: [] },
    { name: 'between empty documents', text: `---\n---\n${secret('')}---\n`, found: ['Secret default/a:3'] },
    { name: 'after a byte order mark', text: `\ufeff${secret('')}`, found: ['Secret default/a:1'] },
    {
      name: 'in lines of Windows',
      text: secret('type: Opaque\n').replaceAll('\n', '\r\n'),
      found: ['Secret default/a:1'],
    },
    {
      name: 'where null stands for what is not there',
      text: 'apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  namespace:\n  annotations:\n  labels: ~\nspec: null\n',
      found: ['Service default/a:1'],
    },
  ];
  for (const { name, text, found } of rows) it(name, () => expect(namesIn(text)).toEqual(found));

  it('with what local mode needs of their metadata', () => {
    const metadata = { name: 'a', namespace: 'demo', uid: '12', labels: { a: 'b' }, annotations: { c: 'd' } };
    const [manifest] = read(JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata })).manifests;
    expect(manifest).toEqual({ apiVersion: 'v1', kind: 'Service', metadata, spec: undefined, file: 'f.yaml', line: 1 });
  });

  it('null is passed on nowhere', () => {
    const [manifest] = read('apiVersion: v1\nkind: Service\nmetadata: { name: a, annotations: }\nspec:\n').manifests;
    expect(manifest).toMatchObject({ metadata: { annotations: undefined }, spec: undefined });
  });
});

describe('the values of a Secret', () => {
  const rows: { name: string; text: string; values: Record<string, string>[] }[] = [
    { name: 'data is Base64', text: secret('data: { a: aGVsbG8= }'), values: [{ a: 'hello' }] },
    { name: 'in lines', text: secret('data:\n  a: |\n    aGVs\n    bG8=\n'), values: [{ a: 'hello' }] },
    { name: 'stringData is text', text: secret('stringData: { a: grüße }'), values: [{ a: 'grüße' }] },
    {
      name: 'stringData wins',
      text: secret('stringData: { a: plain }\ndata: { a: aGVsbG8=, b: aGVsbG8= }'),
      values: [{ a: 'plain', b: 'hello' }],
    },
    { name: 'empty ones', text: secret('data: { a: "" }\nstringData: { b: "" }'), values: [{ a: '', b: '' }] },
    { name: 'no data', text: secret('data:\nstringData: ~\n'), values: [{}] },
    { name: 'no value', text: secret('data:\n  a:\nstringData:\n  b: x\n'), values: [{ b: 'x' }] },
    { name: 'names of every object', text: secret('stringData: { __proto__: x }'), values: [{ ['__proto__']: 'x' }] },
    { name: 'what looks like a date', text: secret('stringData: { a: 2024-01-01 }'), values: [{ a: '2024-01-01' }] },
    {
      name: 'by anchor and merge key',
      text: [
        'kind: List\nitems:\n- &first\n  apiVersion: v1\n  kind: Secret\n  metadata: { name: a }',
        '  stringData: &values { a: x, b: w }\n- <<: *first\n  metadata: { name: b }',
        '  stringData: { <<: *values, b: z }\n',
      ].join('\n'),
      values: [
        { a: 'x', b: 'w' },
        { a: 'x', b: 'z' },
      ],
    },
  ];
  for (const { name, text, values } of rows) it(name, () => expect(valuesIn(text)).toEqual(values));
});

describe('words that go-yaml takes as booleans', () => {
  const immutable = (word: string) => read(secret(`immutable: ${word}\n`)).problems;
  for (const word of [
    'y',
    'Y',
    'yes',
    'Yes',
    'YES',
    'on',
    'On',
    'ON',
    'true',
    'n',
    'N',
    'no',
    'No',
    'NO',
    'off',
    'OFF',
  ])
    it(word, () => {
      expect(immutable(word)).toEqual([]);
      expect(immutable(`"${word}"`)).toHaveLength(1);
      expect(problemsIn(secret(`stringData: { a: ${word} }`))).toEqual([
        '5: stringData.a must be a string, not a boolean',
      ]);
    });

  it('have the value they mean', () => {
    const spec = 'spec: { selector: { a: yes, b: y, c: Off, d: n, e: yEs, on: x } }';
    const [service] = read(`apiVersion: v1\nkind: Service\nmetadata: { name: a }\n${spec}`).manifests;
    expect(service?.spec).toEqual({ selector: { a: true, b: true, c: false, d: false, e: 'yEs', true: 'x' } });
  });
});

describe('kinds that are not of local mode', () => {
  const of = (apiVersion: string, kind: string) =>
    read(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: a }\n`);
  const mistaken: [apiVersion: string, kind: string, problem: string][] = [
    [
      'sources.knative.dev/v1',
      'GitHubSource',
      '1: GitHubSource is known here as sources.knative.dev/v1alpha1, not sources.knative.dev/v1',
    ],
    [
      'sources.knative.dev/v1alpha1',
      'GithubSource',
      '2: there is no kind GithubSource in sources.knative.dev/v1alpha1; did you mean GitHubSource?',
    ],
    [
      'sources.knative.dev/v1alpha1',
      'GitHubSources',
      '2: there is no kind GitHubSources in sources.knative.dev/v1alpha1; did you mean GitHubSource?',
    ],
    [
      'eventing.knative.dev/v1beta1',
      'Trigger',
      '1: Trigger is known here as eventing.knative.dev/v1, not eventing.knative.dev/v1beta1',
    ],
    ['v1', 'secret', '2: there is no kind secret in v1; did you mean Secret?'],
  ];
  for (const [apiVersion, kind, problem] of mistaken)
    it(`${apiVersion} ${kind} is a mistake`, () => {
      const { problems, skipped } = of(apiVersion, kind);
      expect(problems.map(({ line, message }) => `${line}: ${message}`)).toEqual([problem]);
      expect(skipped).toEqual([]);
    });

  const others: [apiVersion: string, kind: string][] = [
    ['sources.knative.dev/v1alpha1', 'GitLabSource'],
    ['sources.knative.dev/v1', 'PingSource'],
    ['serving.knative.dev/v1', 'Route'],
    ['apps/v1', 'StatefulSet'],
    ['v1', 'ServiceAccount'],
    ['example.com/v1', 'Secret'],
  ];
  for (const [apiVersion, kind] of others)
    it(`${apiVersion} ${kind} is skipped, whatever it holds`, () => {
      expect(of(apiVersion, kind)).toEqual({ manifests: [], problems: [], skipped: [{ apiVersion, kind }] });
    });
});
