import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { servingFaults } from '../support/serving-rules.ts';

const config = join(import.meta.dirname, '../../config');

interface Container {
  readonly image: string;
  readonly ports: object;
  readonly resources: { readonly requests: object; readonly limits: object };
  readonly readinessProbe?: object;
  readonly livenessProbe?: { readonly httpGet?: object; readonly tcpSocket?: object };
  readonly securityContext: object;
}
interface PodSpec {
  readonly containers: readonly Container[];
  readonly securityContext?: object;
}
interface Manifest {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly template?: {
      readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
      readonly spec: PodSpec;
    };
  };
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
}

const files = (await readdir(config, { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
const manifests = (
  await Promise.all(
    files.map(async (path) =>
      parseAllDocuments(await readFile(path, 'utf8')).map(
        (document) => [relative(config, path), document.toJS() as Manifest] as const,
      ),
    ),
  )
).flat();
const of = (kind: string, name: string) =>
  manifests.find(([, manifest]) => manifest.kind === kind && manifest.metadata.name === name)?.[1].spec;
const workloads = manifests.flatMap(([path, { spec }]) =>
  spec?.template ? [[path, spec.template.spec] as const] : [],
);

describe('images', () => {
  const named = manifests.flatMap(([path, { images = [] }]) => images.map((image) => ({ path, ...image })));

  it('have their tag in one place, that of this version', () => {
    const path = 'images/kustomization.yaml';
    const { version } = packageJson;
    expect(named).toEqual(
      ['headwater-adapter', 'headwater-controller'].map((name) => ({ path, name, newTag: version })),
    );
  });

  it.each(named.map(({ name }) => name))(
    '%s: built with the Node of the tests, and labelled with this version',
    async (name) => {
      const text = await readFile(join(config, '..', name.replace('headwater-', 'Dockerfile.')), 'utf8');
      const found = (pattern: RegExp) => pattern.exec(text)?.[1];
      expect(found(/image\.version="(.*?)"/)).toBe(packageJson.version);
      expect(found(/^FROM \S+\/node:(.*?)-/m)).toBe(packageJson.devDependencies.node);
      expect(found(/image\.title="(.*?)"/)).toBe(name);
    },
  );

  it('are named so by every pod, without a tag', () => {
    const used = workloads.flatMap(([, { containers }]) => containers.map(({ image }) => image));
    expect([...new Set(used)].toSorted()).toEqual(named.map(({ name }) => name));
  });
});

describe('pods', () => {
  it('are there', () => expect(workloads.length).toBeGreaterThan(4));

  // Of Knative Services no API server in the tests makes pods; the others are tried under Pod Security end to end.
  it.each(workloads)('%s: no root, nothing written, no rights, probes, requests and limits', (_path, spec) => {
    for (const { securityContext, resources, readinessProbe } of spec.containers) {
      expect({ ...spec.securityContext, ...securityContext }).toEqual({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources).toEqual({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
      expect(readinessProbe).toBeDefined();
    }
  });

  it('of the adapter are the same as a Deployment and as a Knative Service, but for ports and what asks whether they live', () => {
    const [deployed, knative] = [of('Deployment', 'headwater-adapter'), of('Service', 'headwater-hooks')].map(
      (spec) => {
        const text = JSON.stringify(spec?.template?.spec.containers[0]).replaceAll('"port":"internal"', '"port":8090');
        // The rights are compared above; of ports Knative takes the public one alone, and asks there.
        const { securityContext: _rights, ports: _ports, livenessProbe, ...rest } = JSON.parse(text) as Container;
        const { httpGet: _asked, tcpSocket: _instead, ...when } = livenessProbe ?? {};
        return { ...rest, when };
      },
    );
    expect(knative).toEqual(deployed);
  });
});

describe('NetworkPolicies', () => {
  const policies = manifests.filter(([, { kind }]) => kind === 'NetworkPolicy');
  const part = (name: string) => ({ matchLabels: { 'app.kubernetes.io/name': name } });
  const all = { matchLabels: { 'app.kubernetes.io/part-of': 'headwater' } };
  const rows = [
    {
      name: 'headwater-hooks',
      podSelector: part('headwater-adapter'),
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ port: 8080 }] }],
    },
    {
      name: 'headwater-internal',
      podSelector: all,
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [
            { podSelector: part('headwater-controller') },
            { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
          ],
          ports: [{ port: 8090 }],
        },
      ],
    },
    {
      name: 'headwater-egress',
      podSelector: all,
      policyTypes: ['Egress'],
      egress: [
        { ports: ['UDP', 'TCP'].map((protocol) => ({ port: 53, protocol })) },
        {
          to: [
            { namespaceSelector: {} },
            { ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } },
            { ipBlock: { cidr: '::/0', except: ['fe80::/10'] } },
          ],
        },
      ],
    },
    {
      name: 'headwater-queue-proxy',
      podSelector: part('headwater-adapter'),
      policyTypes: ['Ingress'],
      ingress: [{ ports: [8012, 8013, 8022, 8112, 9090, 9091].map((port) => ({ port })) }],
    },
  ];

  it('are these, and no other', () =>
    expect(policies.map(([, { metadata }]) => metadata.name).toSorted()).toEqual(
      rows.map(({ name }) => name).toSorted(),
    ));

  it.each(rows)('$name', ({ name, ...spec }) => expect(of('NetworkPolicy', name)).toEqual(spec));

  it.each(['headwater-adapter', 'headwater-controller'])('select the pods of %s by their labels', (name) =>
    expect(of('Deployment', name)?.template?.metadata).toEqual({
      labels: { ...part(name).matchLabels, ...all.matchLabels },
    }),
  );
});

describe('PodDisruptionBudgets', () => {
  it.each(['headwater-adapter', 'headwater-controller'])(
    '%s: one pod at a time, of those of its Deployment',
    (name) => {
      const { selector } = of('Deployment', name) as { selector?: object };
      expect(of('PodDisruptionBudget', name)).toEqual({
        maxUnavailable: 1,
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
        selector,
      });
      expect(selector).toEqual({ matchLabels: { 'app.kubernetes.io/name': name } });
    },
  );
});

describe('Knative Services', () => {
  const services = manifests.filter(
    ([, { apiVersion, kind }]) => kind === 'Service' && apiVersion.startsWith('serving.'),
  );

  it.each(services)('%s: as Serving takes it', (_path, service) => expect(servingFaults(service)).toEqual([]));

  it('never have less than one replica', () => {
    const minima = services.map(
      ([, { spec }]) => spec?.template?.metadata.annotations?.['autoscaling.knative.dev/min-scale'],
    );
    expect(minima).toEqual(['1', '1']);
  });
});
