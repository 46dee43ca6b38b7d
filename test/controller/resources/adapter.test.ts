import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { SourceObject } from '../../../controller/objects.ts';
import { adapterDeployment, adapterService } from '../../../controller/resources/adapter-deployment.ts';
import { adapterKnativeService } from '../../../controller/resources/adapter-knative-service.ts';
import { type ChildObject, childNameOf, isAsApplied, withMark } from '../../../controller/resources/child.ts';
import { aRoute } from '../../support/builders.ts';
import { servingFaults } from '../../support/serving-rules.ts';

const SETTINGS = { image: 'registry.example.com/headwater-adapter:1', env: { LOG_LEVEL: 'debug' } };
const PLACEMENT = { nodeSelector: { zone: 'a' }, tolerations: [{ key: 'spot', operator: 'Exists' as const }] };
const NONE = new Map<string, string>();
const ENABLED = ['kubernetes.podspec-nodeselector', 'kubernetes.podspec-tolerations'];

function aSource(spec: object = {}, { name = 'hello', annotations = {} } = {}): SourceObject {
  const creationTimestamp = '2026-01-01T00:00:00Z';
  const metadata = { name, namespace: 'demo', uid: 'u-1', generation: 1, creationTimestamp, annotations };
  return { apiVersion: 'sources.knative.dev/v1alpha1', kind: 'GitHubSource', metadata, spec: { sink: {}, ...spec } };
}

interface Pod {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: Readonly<Record<string, unknown>> & {
    readonly containers: readonly Readonly<Record<string, unknown>>[];
  };
}

const podOf = (child: ChildObject) => (child.spec as { template: Pod }).template;
const knative = (source: SourceObject, features = NONE) => adapterKnativeService(source, aRoute(), SETTINGS, features);

describe('the Knative Service of a source', () => {
  const full = { serviceAccountName: 'runner', adapter: { mode: 'dedicated', ...PLACEMENT } };
  const cases = [
    { name: 'of a plain source', source: aSource(), enabled: [] },
    { name: 'of one that says where it runs, not admitted', source: aSource(full), enabled: [] },
    { name: 'of one that says where it runs, admitted', source: aSource(full), enabled: ENABLED },
    { name: 'of one with a long name', source: aSource({}, { name: 'a.'.repeat(100) }), enabled: [] },
    { name: 'of one with a number for a name', source: aSource({}, { name: '7' }), enabled: [] },
    {
      name: 'of one with a scale',
      source: aSource({}, { annotations: { 'autoscaling.knative.dev/max-scale': '3' } }),
      enabled: [],
    },
  ];
  for (const { name, source, enabled } of cases) {
    it(`${name} is what Serving's webhook admits`, () => {
      const features = new Map(enabled.map((feature) => [feature, 'enabled']));
      expect(servingFaults(knative(source, features), enabled)).toEqual([]);
    });
  }

  it('is told from one that it refuses', () => {
    const deployment = adapterDeployment(aSource(full), aRoute(), SETTINGS);
    expect(servingFaults(deployment)).toEqual([
      'must not set the field nodeSelector',
      'must not set the field tolerations',
      'must not set the field terminationGracePeriodSeconds',
      'more than one container port is set',
      'port name http is not allowed',
      'port name internal is not allowed',
      'livenessProbe is sent to port 8080',
    ]);
    const settings = { ...SETTINGS, env: { PORT: '1' } };
    expect(servingFaults(adapterKnativeService(aSource(), aRoute(), settings, NONE))).toEqual(['PORT is reserved']);
  });

  it('runs one pod at least, unless the source says otherwise', () => {
    const scaleOf = (source: SourceObject) =>
      podOf(knative(source)).metadata.annotations['autoscaling.knative.dev/min-scale'];
    expect(scaleOf(aSource())).toBe('1');
    expect(scaleOf(aSource({}, { annotations: { 'autoscaling.knative.dev/min-scale': '0' } }))).toBe('0');
  });

  it('is placed only as far as Serving admits it', () => {
    const placedBy = (features: readonly string[]) => {
      const { nodeSelector, tolerations } = podOf(
        knative(aSource(full), new Map(features.map((feature) => [feature, 'Allowed']))),
      ).spec;
      return { nodeSelector, tolerations };
    };
    expect(placedBy([])).toEqual({});
    expect(placedBy(ENABLED)).toEqual(PLACEMENT);
    expect(placedBy(ENABLED.slice(1))).toEqual({ tolerations: PLACEMENT.tolerations });
  });
});

describe('the Deployment of a source', () => {
  it('has the pod of config/adapter, but for its route and its rights', async () => {
    const file = new URL('../../../config/adapter/adapter.yaml', import.meta.url);
    const [document] = parseAllDocuments(await readFile(file, 'utf8'));
    const shared = podOf(document?.toJS() as ChildObject).spec;
    const own = podOf(adapterDeployment(aSource(), aRoute(), SETTINGS)).spec;
    const {
      securityContext,
      serviceAccountName: _account,
      containers: sharedContainers,
      // There is one of it.
      topologySpreadConstraints: _spread,
      ...rest
    } = shared;
    expect(own).toMatchObject(rest);
    const [{ env: _env, image: _image, securityContext: inner, ...container } = {}] = sharedContainers;
    expect(own.containers[0]).toMatchObject({
      ...container,
      securityContext: { ...(inner as object), ...(securityContext as object) },
    });
  });

  it('has no right at the API server', () => {
    const pod = podOf(adapterDeployment(aSource(), aRoute(), SETTINGS)).spec;
    expect(pod).toMatchObject({ automountServiceAccountToken: false });
    expect(pod).not.toHaveProperty('serviceAccountName');
  });

  it('is as the source says', () => {
    const resources = { requests: { cpu: 1 }, limits: { memory: '1Gi' } };
    const source = aSource({ serviceAccountName: 'runner', adapter: { ...PLACEMENT, resources } });
    const pod = podOf(adapterDeployment(source, aRoute(), SETTINGS)).spec;
    expect(pod).toMatchObject({ serviceAccountName: 'runner', ...PLACEMENT, containers: [{ resources }] });
  });

  it('is found by its Service', () => {
    const { spec } = adapterDeployment(aSource(), aRoute(), SETTINGS) as unknown as {
      spec: { selector: { matchLabels: object }; template: { metadata: { labels: object } } };
    };
    expect(spec.template.metadata.labels).toMatchObject(spec.selector.matchLabels);
    expect(adapterService(aSource()).spec).toMatchObject({ selector: spec.selector.matchLabels });
  });
});

describe('pods', () => {
  const digest = (route: Parameters<typeof aRoute>[0]) =>
    podOf(adapterDeployment(aSource(), aRoute(route), SETTINGS)).metadata.annotations['headwater.dev/route-digest'];
  const sink = { url: 'https://sink.example.com/', audience: 'me', token: 'one' };
  const before = { generation: 1, sink, secretTokens: [{ value: 'a', version: '1' }] };
  const cases = [
    { name: 'a renewed token', route: { ...before, sink: { ...sink, token: 'two' } }, isNew: false },
    { name: 'another sink', route: { ...before, sink: { ...sink, url: 'https://other.example.com/' } }, isNew: true },
    { name: 'no sink', route: { ...before, sink: null }, isNew: true },
    { name: 'another secret', route: { ...before, secretTokens: [{ value: 'b', version: '2' }] }, isNew: true },
    { name: 'a new generation', route: { ...before, generation: 2 }, isNew: true },
    {
      name: 'the end of a secret that was replaced',
      route: {
        ...before,
        secretTokens: [...before.secretTokens, { value: 'old', validUntil: '2026-01-01T00:00:00Z' }],
      },
      isNew: false,
    },
  ];
  for (const { name, route, isNew } of cases) {
    it(`are ${isNew ? 'new ones' : 'the same'} with ${name}`, () =>
      expect(digest(route) !== digest(before)).toBe(isNew));
  }

  it('do not tell the secret', () => {
    const [one, other] = ['a', 'b'].map((value) => digest({ ...before, secretTokens: [{ value, version: '1' }] }));
    expect(one).toBe(other);
  });
});

describe('the name of a child', () => {
  const names = [
    ['hello', 'hello-githubsource'],
    ['my.source', 'my-source-886385825a-githubsource'],
    ['7', 's7-4b2c3426a1-githubsource'],
    ['a'.repeat(44), `${'a'.repeat(44)}-githubsource`],
    ['a'.repeat(45), `${'a'.repeat(33)}-cfaced5944-githubsource`],
  ] as const;
  for (const [source, name] of names) {
    it(`of ${source} is one`, () => {
      const found = childNameOf(aSource({}, { name: source }));
      expect(found).toMatch(/^[a-z][-a-z0-9]{0,55}[a-z0-9]$/);
      expect(found).toBe(name);
    });
  }

  it('is its own', () => {
    const found = ['a.b', 'a-b', 'a--b', `${'a'.repeat(60)}b`, `${'a'.repeat(60)}c`].map((name) =>
      childNameOf(aSource({}, { name })),
    );
    expect(new Set(found).size).toBe(found.length);
  });
});

describe('a child that is there', () => {
  const wanted = withMark(adapterService(aSource()));
  const found = { ...wanted, metadata: { ...wanted.metadata, uid: 'x', generation: 1, creationTimestamp: '' } };
  const cases = [
    {
      name: 'with fields of others',
      found: { ...found, status: {}, spec: { ...wanted.spec, clusterIP: '10.0.0.1' } },
      is: true,
    },
    { name: 'with a field that was changed', found: { ...found, spec: { ...wanted.spec, selector: {} } }, is: false },
    {
      name: 'that was applied with more',
      found: { ...found, metadata: { ...found.metadata, annotations: { 'headwater.dev/applied': 'other' } } },
      is: false,
    },
    { name: 'without its labels', found: { ...found, metadata: { ...found.metadata, labels: {} } }, is: false },
  ];
  for (const { name, found: object, is } of cases)
    it(`${name} is ${is ? '' : 'not '}as it was applied`, () => expect(isAsApplied(object, wanted)).toBe(is));
});
