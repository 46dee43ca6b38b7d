import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../core/problem.ts';
import { readWiring } from '../../wire/read-wiring.ts';

const definition = (name: string) =>
  `document: { dsl: 1.0.3, namespace: test, name: ${name}, version: 0.1.0 }\ndo:\n  - hear: { listen: { to: { one: { with: { type: a } } } } }\n`;
const service = (name: string, namespace?: string) =>
  `apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: { name: ${name}${namespace ? `, namespace: ${namespace}` : ''} }\nspec: { template: { spec: { containers: [{ image: a }] } } }\n`;

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'headwater-wire-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Reads what these files say; `paths` below the folder. */
async function read(files: Readonly<Record<string, string>>, paths: readonly string[] = ['.']) {
  const own = await mkdtemp(join(folder, 'case-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(own, name)), { recursive: true });
    await writeFile(join(own, name), text);
  }
  const { wiring, problems, warnings } = await readWiring(paths.map((path) => join(own, path)));
  const told = (all: readonly Problem[]) =>
    all.map(({ file, line, message }) => `${relative(own, file)}:${line} ${message.replaceAll(`${own}/`, '')}`);
  return { sets: wiring.sets, problems: told(problems), warnings: told(warnings) };
}

const whole = `# Everything a wiring file may say.
name: shop
namespace: demo
broker: { name: events, namespace: eventing, create: true, class: Kafka }
delivery: { retry: 5, deadLetterSink: { ref: { apiVersion: v1, kind: Service, name: letters } } }
sources:
  - kind: GitHubSource
    repository: acme/Web.Shop
    secret: github
    eventTypes: [release]
    spec: { githubAPIURL: https://github.acme.com/api/v3 }
external:
  - { type: confirm, by: the browser, direct: true }
workflows:
  - { file: flows/a.yaml, runtime: knative-service, service: flow-a, manifest: ksvc.yaml, path: /events }
  - { file: flows/b.yaml, runtime: deployment, sources: [acme-web-shop] }
  - { file: flows/c.yaml, runtime: uri, uri: http://127.0.0.1:9000/c }
  - { file: flows/d.yaml, runtime: sonataflow }
`;
const files = {
  'wire.yaml': whole,
  'ksvc.yaml': `kind: ConfigMap\napiVersion: v1\nmetadata: { name: flow-a }\n---\n${service('flow-a')}`,
  'flows/a.yaml': definition('a'),
  'flows/b.yaml': definition('b_flow'),
  'flows/c.yaml': definition('c'),
  'flows/d.yaml': definition('d'),
};

describe('a wiring file', () => {
  it('becomes a set, with defaults filled in and files read', async () => {
    const { sets, problems, warnings } = await read(files);
    expect({ problems, warnings, sets: sets.length }).toEqual({ problems: [], warnings: [], sets: 1 });
    expect(sets[0]).toMatchObject({
      name: 'shop',
      namespace: 'demo',
      broker: {
        name: 'events',
        namespace: 'eventing',
        create: true,
        url: 'http://kafka-broker-ingress.knative-eventing.svc.cluster.local/eventing/events',
      },
      sources: [
        {
          apiVersion: 'sources.knative.dev/v1alpha1',
          kind: 'GitHubSource',
          name: 'acme-web-shop',
          namespace: 'demo',
          eventSource: 'https://github.com/acme/Web.Shop',
          eventTypes: ['release'],
          spec: {
            ownerAndRepository: 'acme/Web.Shop',
            githubAPIURL: 'https://github.acme.com/api/v3',
            secretToken: { secretKeyRef: { name: 'github', key: 'secretToken' } },
          },
          place: { line: 7 },
        },
      ],
      external: [{ type: 'confirm', direct: true, place: { line: 13, column: 5 } }],
      workflows: [
        {
          name: 'a',
          runtime: {
            kind: 'knative-service',
            service: 'flow-a',
            path: '/events',
            manifest: { metadata: { name: 'flow-a' } },
          },
          runsAt: { line: 15 },
        },
        { runtime: { kind: 'deployment', service: 'b-flow', deployment: 'b-flow', path: '/' } },
        { runtime: { kind: 'uri', uri: 'http://127.0.0.1:9000/c' } },
        { runtime: { kind: 'sonataflow', service: 'd', path: '/' } },
      ],
    });
    expect(JSON.parse(JSON.stringify(sets))).toEqual(sets);
  });

  it('knows the events of its sources, and which attribute each must be asked for', async () => {
    const { sets } = await read(files);
    const event = sets[0]?.sources[0]?.events.find(({ eventType }) => eventType === 'pull_request');
    expect(event).toMatchObject({ type: 'dev.knative.source.github.pull_request', always: false });
    expect(event?.attributes).toContainEqual({
      name: 'action',
      member: ['action'],
      always: true,
      isCorrelation: false,
    });
    expect(event?.attributes.filter(({ isCorrelation }) => isCorrelation).map(({ name }) => name)).toEqual([
      'githubnumber',
    ]);
    expect(sets[0]?.sources[0]?.events.filter(({ always }) => always).map(({ eventType }) => eventType)).toEqual([
      'ping',
    ]);
  });

  it.each<[string, Readonly<Record<string, string>>, string[]]>([
    [
      'is not YAML',
      { 'wire.yaml': 'name: [' },
      ['wire.yaml:1 Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ],
    ['is empty', { 'wire.yaml': '' }, ['wire.yaml:1 it is empty: it needs at least a name']],
    ['is a list', { 'wire.yaml': '- a' }, ['wire.yaml:1 it must hold name, sources, workflows and so on']],
    ['has no name', { 'wire.yaml': 'broker: {}' }, ['wire.yaml:1 name is missing']],
    [
      'is of two documents',
      { 'wire.yaml': 'name: a\n---\nname: b' },
      ['wire.yaml:1 it holds several documents: make a file of each'],
    ],
    [
      'has unknown fields',
      { 'wire.yaml': 'name: a\nbrokr: {}\nbroker:\n  creates: true' },
      [
        'wire.yaml:2 unknown field brokr; did you mean broker?',
        'wire.yaml:4 unknown field broker.creates; did you mean create?',
      ],
    ],
    [
      'names a kind that is none',
      { 'wire.yaml': 'name: a\nsources:\n  - { kind: GitHubSorce, repository: a/b }' },
      ['wire.yaml:3 there is no source of kind GitHubSorce; did you mean GitHubSource?'],
    ],
    [
      'names no secret',
      { 'wire.yaml': 'name: a\nsources:\n  - { kind: GitHubSource, repository: a/b }' },
      ['wire.yaml:3 secretToken is missing; name a Secret (secret), or write the field below spec'],
    ],
    [
      'has a repository that is none',
      { 'wire.yaml': 'name: a\nsources:\n  - { kind: GitHubSource, secret: s,\n      repository: a/b/c }' },
      ['wire.yaml:4 ownerAndRepository must be owner/repository or an organization, not "a/b/c"'],
    ],
    [
      'writes what is made',
      {
        'wire.yaml':
          'name: a\nsources:\n  - kind: GitHubSource\n    repository: a/b\n    secret: s\n    spec:\n      sink: {}\n      eventTypes: [push]',
      },
      [
        'wire.yaml:7 spec.sink is not written here; the Broker is the sink',
        'wire.yaml:8 spec.eventTypes is not written here; write it beside spec: what workflows consume is added',
      ],
    ],
    [
      'has a field the kind has not',
      {
        'wire.yaml':
          'name: a\nsources:\n  - kind: GitHubSource\n    repository: a/b\n    secret: s\n    spec:\n      securee: true',
      },
      ['wire.yaml:7 unknown field securee; did you mean secure?'],
    ],
    [
      'has two sources of one name',
      {
        'wire.yaml':
          'name: a\nsources:\n  - { kind: GitHubSource, repository: a/b, secret: s }\n  - { kind: GitHubSource, repository: a/b, secret: t }',
      },
      ['wire.yaml:4 sources have two of the name a-b, the first in line 3: give one a name'],
    ],
    [
      'names a file that is not there',
      { 'wire.yaml': 'name: a\nworkflows:\n  - runtime: sonataflow\n    file: gone.yaml' },
      ['wire.yaml:4 there is no file gone.yaml'],
    ],
    [
      'names a file with something else',
      { 'wire.yaml': 'name: a\nworkflows:\n  - { runtime: sonataflow, file: b.yaml }', 'b.yaml': 'a: b' },
      ['wire.yaml:3 b.yaml holds no workflow definition'],
    ],
    [
      'names a file with several',
      {
        'wire.yaml': 'name: a\nworkflows:\n  - { runtime: sonataflow, file: b.yaml }',
        'b.yaml': `${definition('b')}---\n${definition('c')}`,
      },
      ['wire.yaml:3 b.yaml holds 2 workflow definitions: make a file of each'],
    ],
    [
      'names a source that is none',
      {
        'wire.yaml':
          'name: a\nsources: [{ kind: GitHubSource, repository: a/b, secret: s, name: shop }]\nworkflows:\n  - { runtime: sonataflow, file: b.yaml, sources: [shpo] }',
        'b.yaml': definition('b'),
      },
      ['wire.yaml:4 there is no source shpo; sources here: shop'],
    ],
    [
      'mixes runtimes',
      {
        'wire.yaml':
          'name: a\nworkflows:\n  - { runtime: uri, file: b.yaml, service: b }\n  - { runtime: sonataflow, file: b.yaml,\n      manifest: b.yaml }',
        'b.yaml': definition('b'),
      },
      [
        'wire.yaml:3 workflows[0].uri: uri goes with runtime uri, and with no other',
        'wire.yaml:3 workflows[0].service: runtime uri has no Service: leave service out',
        'wire.yaml:5 workflows[1].manifest: manifest goes with runtime knative-service',
      ],
    ],
    [
      'names a manifest without the Service',
      {
        'wire.yaml': 'name: a\nworkflows:\n  - { runtime: knative-service, file: b.yaml, manifest: k.yaml }',
        'b.yaml': definition('b'),
        'k.yaml': service('other'),
      },
      ['wire.yaml:3 k.yaml has no Knative Service b; the Knative Services in it: other'],
    ],
    [
      'names a manifest of another namespace',
      {
        'wire.yaml': 'name: a\nworkflows:\n  - { runtime: knative-service, file: b.yaml, manifest: k.yaml }',
        'b.yaml': definition('b'),
        'k.yaml': service('b', 'other'),
      },
      ['wire.yaml:3 the Knative Service b is of namespace other, the set of default'],
    ],
    [
      'has the name of another',
      { 'wire.yaml': 'name: a', 'b.wire.yaml': 'name: a' },
      ['wire.yaml:1 b.wire.yaml describes a set a already: what one applies, the other would prune'],
    ],
    [
      'stands beside a definition that is no YAML',
      { 'wire.yaml': 'name: a', 'b.yaml': 'document: {' },
      ['b.yaml:1 Flow map in block collection must be sufficiently indented and end with a }'],
    ],
    [
      'stands beside a definition whose events are gone',
      { 'wire.yaml': 'name: a', 'b.json': '{ "id": "b", "states": [],\n "events": "events.json" }' },
      ['b.json:2 there is no file events.json'],
    ],
  ])('that %s', async (_what, given, expected) => expect((await read(given)).problems).toEqual(expected));
});

describe('definitions that no wiring file names', () => {
  it('are a set without a name, in which nothing says where they run', async () => {
    const { sets, problems } = await read({
      'a.yaml': definition('a'),
      'wire.yaml': 'name: s',
      'README.json': '{"a": 1}',
    });
    expect(problems).toEqual([]);
    expect(sets.map(({ name, workflows }) => [name, workflows.map((one) => [one.name, one.runtime])])).toEqual([
      ['s', []],
      [undefined, [['a', undefined]]],
    ]);
  });

  it('are not those that a wiring file names, however the paths are given', async () => {
    const given = {
      'wire.yaml': 'name: s\nworkflows: [{ file: ./a.yaml, runtime: sonataflow }]',
      'a.yaml': definition('a'),
    };
    const { sets } = await read(given, ['a.yaml', 'wire.yaml', '.']);
    expect(sets.map(({ name, workflows }) => [name, workflows.length])).toEqual([['s', 1]]);
  });

  it('that are asked for and are none', async () => {
    const { warnings } = await read({ 'a.yaml': 'a: b' }, ['a.yaml']);
    expect(warnings).toEqual(['a.yaml:1 it is neither a wiring file nor a workflow definition']);
  });

  it('that are not there', async () => {
    await expect(readWiring([join(folder, 'gone')])).rejects.toThrow('no such file or folder');
  });
});
