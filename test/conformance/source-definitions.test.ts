import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { localKinds } from '../../local/kinds.ts';
import { namesOf } from '../../sources/crd.ts';
import { sources } from '../../sources/registry.ts';

const root = join(import.meta.dirname, '../..');

interface Schema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema;
}

interface Definition {
  readonly metadata: { readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  readonly spec: {
    readonly names: { readonly categories: readonly string[] };
    readonly versions: readonly {
      readonly additionalPrinterColumns: readonly { readonly name: string; readonly jsonPath: string }[];
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

const READ = ['get', 'list', 'watch'];
const rights = parseAllDocuments(await readFile(join(root, 'config/rbac/rbac.yaml'), 'utf8')).map(
  (document) => document.toJS() as { kind: string; metadata: { labels?: Record<string, string> }; rules?: object[] },
);
const kinds = await localKinds();

// The names of these tests are in docs/conformance.md.
describe.each(sources)('the definition of $kind', async (source) => {
  const { plural, crd } = namesOf(source);
  const { metadata, spec } = parse(await readFile(join(root, `crds/${crd}.yaml`), 'utf8')) as Definition;
  const [{ additionalPrinterColumns: columns, schema } = spec.versions[0]!] = spec.versions;
  const { spec: specSchema, status } = schema.openAPIV3Schema.properties ?? {};
  const typesOf = (of: Schema | undefined) =>
    Object.fromEntries(Object.entries(of?.properties ?? {}).map(([name, { type }]) => [name, type]));

  it('carries the label of sources', () => expect(metadata.labels['duck.knative.dev/source']).toBe('true'));

  it('is in the category of sources', () => expect(spec.names.categories).toContain('sources'));

  it('shows readiness, reason and age in columns', () => {
    const paths = Object.fromEntries(columns.map(({ name, jsonPath }) => [name, jsonPath]));
    expect(paths).toMatchObject({
      Ready: ".status.conditions[?(@.type=='Ready')].status",
      Reason: ".status.conditions[?(@.type=='Ready')].reason",
      Age: '.metadata.creationTimestamp',
    });
  });

  it('has the schema of a status: conditions, sinkUri and observedGeneration', () => {
    expect(typesOf(status)).toMatchObject({ conditions: 'array', sinkUri: 'string', observedGeneration: 'integer' });
    const condition = status?.properties?.['conditions']?.items;
    const fields = ['lastTransitionTime', 'message', 'reason', 'severity', 'status', 'type'];
    expect(typesOf(condition)).toEqual(Object.fromEntries(fields.map((name) => [name, 'string'])));
    expect(condition?.required?.toSorted()).toEqual(['status', 'type']);
    expect(condition?.properties?.['status']?.enum).toEqual(['True', 'False', 'Unknown']);
  });

  it('has the schema of a spec: a sink, which is required, and overrides', () => {
    expect(specSchema?.required).toContain('sink');
    expect(typesOf(specSchema?.properties?.['sink'])).toMatchObject({ ref: 'object', uri: 'string' });
    const overrides = specSchema?.properties?.['ceOverrides'];
    expect(overrides?.properties?.['extensions']?.additionalProperties?.type).toBe('string');
  });

  it('announces its types of events as a JSON array of objects with a type', () => {
    const announced = JSON.parse(metadata.annotations['registry.knative.dev/eventTypes'] ?? '') as object[];
    expect(announced.length).toBeGreaterThan(0);
    for (const entry of announced) expect(entry).toMatchObject({ type: expect.stringMatching(/^\S+$/) });
  });

  it('refuses overrides of required attributes', async () => {
    const sample = await readFile(join(root, `config/samples/${source.kind.toLowerCase()}.yaml`), 'utf8');
    const objects = parseAllDocuments(sample).map((document) => document.toJS() as { kind: string; spec: object });
    const object = objects.find(({ kind }) => kind === source.kind);
    const known = kinds.find(({ kind }) => kind === source.kind);
    const faultsOf = (extension: string) =>
      known
        ?.validate({ ...object, spec: { ...object?.spec, ceOverrides: { extensions: { [extension]: 'x' } } } })
        .map(({ message }) => message);
    expect(faultsOf('team')).toEqual([]);
    for (const name of ['id', 'source', 'type', 'specversion'])
      expect(faultsOf(name)).toEqual([expect.stringContaining('cannot be overridden')]);
  });

  it('comes with a ClusterRole by which others may observe it', () => {
    const observers = rights.filter(({ metadata: { labels } }) => labels?.['duck.knative.dev/source'] === 'true');
    expect(observers.map(({ kind }) => kind)).toEqual(['ClusterRole']);
    expect(observers[0]?.rules).toContainEqual({
      apiGroups: [source.group],
      resources: expect.arrayContaining([plural]) as string[],
      verbs: READ,
    });
  });
});
