import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { generatedFiles } from '../../scripts/generate.ts';

type Node = Readonly<Record<string, unknown>>;

// biome-ignore format: a list
const ALLOWED: ReadonlySet<string> = new Set([
  'type', 'format', 'description', 'properties', 'items', 'additionalProperties', 'required', 'enum', 'default', 'nullable',
  'pattern', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems', 'minProperties', 'maxProperties',
  'x-kubernetes-validations', 'x-kubernetes-int-or-string', 'x-kubernetes-list-type', 'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
]);

const BOUNDS: Readonly<Record<string, string>> = { string: 'maxLength', array: 'maxItems', map: 'maxProperties' };

/** What keeps a schema from being structural or bounded, or a field from being explained; by path. */
function faults(node: Node, path: string, underRule: boolean): string[] {
  const found: string[] = [];
  const bounded = underRule || 'x-kubernetes-validations' in node;
  const type = node['additionalProperties'] ? 'map' : String(node['type']);
  for (const key of Object.keys(node)) if (!ALLOWED.has(key)) found.push(`${path}: ${key}`);
  if (!('type' in node) && node['x-kubernetes-int-or-string'] !== true) found.push(`${path}: no type`);
  if ('properties' in node && 'additionalProperties' in node)
    found.push(`${path}: properties beside additionalProperties`);
  const bound = BOUNDS[type];
  if (bounded && bound && !(bound in node) && !('enum' in node)) found.push(`${path}: no ${bound}`);
  for (const [name, child] of Object.entries((node['properties'] ?? {}) as Record<string, Node>)) {
    if (!('description' in child) && path !== '') found.push(`${path}.${name}: no description`);
    found.push(...faults(child, `${path}.${name}`, bounded));
  }
  for (const key of ['items', 'additionalProperties']) {
    if (typeof node[key] === 'object') found.push(...faults(node[key] as Node, `${path}[]`, bounded));
  }
  return found;
}

const files = [...(await generatedFiles())].filter(([path]) => /^crds\/.*\.yaml$/.test(path));

describe.each(files)('%s', (path, text) => {
  const crd = parse(text) as {
    metadata: Node & { annotations: Record<string, string> };
    spec: Node & { versions: Node[] };
  };
  const version = crd.spec.versions[0] as Node & { schema: { openAPIV3Schema: Node } };

  it('is what is committed', async () => {
    expect(await readFile(join(import.meta.dirname, '../..', path), 'utf8')).toBe(text);
  });

  it('has a structural schema, bounded where rules look, with a description at every field', () => {
    expect(faults(version.schema.openAPIV3Schema, '', false)).toEqual([]);
  });

  it('announces each type of event once', () => {
    const types = (
      JSON.parse(crd.metadata.annotations['registry.knative.dev/eventTypes'] ?? '') as { type: string }[]
    ).map(({ type }) => type);
    expect(types.length).toBeGreaterThan(30);
    expect(new Set(types).size).toBe(types.length);
    expect(types.filter((type) => !/^[a-z0-9._]+$/.test(type))).toEqual([]);
  });

  it('has no YAML anchors', () => expect(text).not.toMatch(/[&*][a-z]\d+/));
});

describe('the GitHubSource of Knative', () => {
  const upstream =
    'check_suite commit_comment create delete deployment deployment_status fork gollum installation integration_installation issue_comment issues label member membership milestone organization org_block page_build ping project_card project_column project public pull_request pull_request_review pull_request_review_comment push release repository status team team_add watch';
  const text = new Map(files).get('crds/githubsources.sources.knative.dev.yaml') ?? '';
  const crd = parse(text) as {
    metadata: { labels: Node; annotations: Record<string, string> };
    spec: { names: Node; versions: Node[] };
  };

  it('keeps its names, labels, categories and columns', () => {
    expect(crd.spec.names).toMatchObject({
      kind: 'GitHubSource',
      plural: 'githubsources',
      categories: ['all', 'knative', 'eventing', 'sources'],
    });
    expect(crd.metadata.labels).toMatchObject({
      'eventing.knative.dev/source': 'true',
      'duck.knative.dev/source': 'true',
      'knative.dev/crd-install': 'true',
    });
    const columns = (
      crd.spec.versions.map((version) => version['additionalPrinterColumns'])[0] as { name: string }[]
    ).map(({ name }) => name);
    expect(columns).toEqual(['Ready', 'Reason', 'URL', 'Sink', 'Age']);
  });

  it('announces every type upstream announces', () => {
    const announced = crd.metadata.annotations['registry.knative.dev/eventTypes'] ?? '';
    for (const event of upstream.split(' ')) expect(announced).toContain(`"dev.knative.source.github.${event}"`);
  });
});
