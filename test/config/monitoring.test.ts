import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import dashboard from '../../config/monitoring/dashboard.json' with { type: 'json' };
import { buildInternalServer } from '../../controller/internal-server.ts';
import { ControllerMetrics } from '../../controller/metrics.ts';
import { aRoute } from '../support/builders.ts';
import { selectorsIn } from '../support/promql.ts';
import { TestAdapter } from '../support/test-adapter.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string) => readFile(join(root, path), 'utf8');

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
const { spec } = parse(await read('config/monitoring/rules.yaml')) as { spec: { groups: { rules: Rule[] }[] } };
const rules = spec.groups.flatMap((group) => group.rules);
const alerts = rules.filter(({ alert }) => alert !== undefined);

describe('every alert', async () => {
  const page = await read('docs/operations.md');
  /** By their heading. */
  const entries = new Map(
    page
      .slice(page.indexOf('\n## Alerts\n'))
      .split('\n### ')
      .slice(1)
      .map((text) => [text.split('\n')[0], text] as const),
  );

  it('has an entry in docs/operations.md, in the same order, and every entry an alert', () =>
    expect([...entries.keys()]).toEqual(alerts.map(({ alert }) => alert)));

  it.each(alerts)('$alert says in one sentence what is the matter, how bad it is, and where to read on', (rule) => {
    const { alert = '', labels, annotations } = rule;
    expect(annotations).toEqual({
      summary: expect.stringMatching(/^.{10,80}$/),
      description: expect.stringMatching(/\.$/),
      runbook_url: `docs/operations.md#${alert.toLowerCase()}`,
    });
    expect(entries.get(alert)).toContain(`\n\`${labels?.['severity']}\`. `);
    expect(entries.get(alert)).toMatch(/\n- Look: .+[^]*\n- Do: .+/);
  });
});

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}
const panels: readonly Panel[] = dashboard.panels;
/** As Grafana fills them in. */
const filled = (expr: string) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$source', '.*');
const queries = [
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ of: title, expr: filled(expr) }))),
  ...dashboard.annotations.list.map(({ name, expr }) => ({ of: `annotation ${name}`, expr })),
  ...rules.map(({ alert, record, expr }) => ({ of: alert ?? record ?? '', expr })),
];

describe('the metrics of alerts and panels', async () => {
  const adapter = await TestAdapter.start([aRoute()]);
  afterAll(() => adapter.stop());
  await fetch(adapter.url('/hooks/unknown'), { method: 'POST' });
  const metrics = new ControllerMetrics(['GitHubSource']);
  metrics.requested('GET', '200', 0.1);
  metrics.writeRefused('policy.example.com');
  const quota = { tokenDigest: 'x', remaining: 1, limit: 2, resetAt: new Date(Date.now() + 1e6) };
  const call = { api: 'https://api.example.com', method: 'GET', result: 'ok', seconds: 0.1, quota } as const;
  metrics.provider.called('GitHubSource', call);
  const source = { apiVersion: 'a/v1', kind: 'GitHubSource', metadata: { namespace: 'demo', name: 'hello' } };
  metrics.sources.census.note(source as Parameters<typeof metrics.sources.census.note>[0], {});
  const controller = buildInternalServer(metrics);
  afterAll(() => controller.close());
  const texts = [await (await adapter.internal('/metrics')).text(), (await controller.inject('/metrics')).payload];

  /** Names of the labels of each metric that is there; of one that was not counted yet, none. */
  const exposed = new Map<string, Set<string>>();
  for (const [, name = '', type] of texts.join('\n').matchAll(/^# TYPE (\w+) (\w+)/gm))
    if (type !== 'histogram') exposed.set(name, new Set());
  for (const [, name = '', labels = ''] of texts.join('\n').matchAll(/^([a-z]\w*)(?:{(.*)})? /gm)) {
    const names = Array.from(labels.matchAll(/(\w+)="/g), ([, label = '']) => label);
    exposed.set(name, new Set([...(exposed.get(name) ?? []), ...names]));
  }
  // Prometheus's own, and the rules'.
  exposed.set('up', new Set());
  exposed.set('ALERTS', new Set(['alertname', 'alertstate']));
  for (const { record } of rules)
    if (record) exposed.set(record, exposed.get('headwater_deliveries_total') ?? new Set());
  // Those that Prometheus adds.
  const ofTarget = new Set(['job', 'pod', 'namespace', 'instance']);

  it.each(queries)('$of: $expr', ({ expr }) => {
    const selectors = selectorsIn(expr);
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, labels } of selectors) {
      expect([...exposed.keys()]).toContain(metric);
      const known = exposed.get(metric);
      expect(labels.filter((label) => !known?.has(label) && !ofTarget.has(label))).toEqual([]);
    }
  });

  it('of ours are all on the dashboard or in an alert', () => {
    const used = new Set(queries.flatMap(({ expr }) => selectorsIn(expr).map(({ metric }) => metric)));
    const ours = [...exposed.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, '_bucket'));
    const unused = ours.filter((name) => /^(headwater|workqueue|rest_client|controller_runtime|leader)/.test(name));
    expect([...new Set(unused)].filter((name) => !used.has(name))).toEqual([]);
  });

  it('are described in docs/', async () => {
    const pages = (await read('docs/controller.md')) + (await read('docs/adapter.md'));
    const names = texts.join('\n').matchAll(/^# TYPE (\w+) /gm);
    const ours = Array.from(names, ([, name = '']) => name).filter((name) => !/^(process|nodejs)_/.test(name));
    expect(ours.length).toBeGreaterThan(20);
    expect(ours.filter((name) => !pages.includes(`\`${name}\``))).toEqual([]);
  });
});

describe('the dashboard', () => {
  it('is one that Grafana takes', () => {
    expect(dashboard).toMatchObject({ uid: 'headwater', title: 'Headwater', schemaVersion: 39 });
    expect(new Set(panels.map(({ type }) => type))).toEqual(new Set(['row', 'stat', 'timeseries']));
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { type, targets = [] } of panels) {
      expect(targets.length > 0).toBe(type !== 'row');
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    }
  });

  it('has each panel in a place of its own, 24 columns wide', () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.get(`${x} ${y}`)).toBeUndefined();
          taken.set(`${x} ${y}`, title);
        }
    }
  });

  it('asks one data source, and defines the variables it uses', () => {
    const text = JSON.stringify(dashboard);
    const sources = Array.from(text.matchAll(/"datasource":({.*?"})/g), ([, source]) => source);
    expect(new Set(sources)).toEqual(new Set(['{"type":"prometheus","uid":"${datasource}"}']));
    const used = Array.from(text.matchAll(/\$\{?(?!__)([a-z]+)/g), ([, name]) => name);
    const defined = dashboard.templating.list.map(({ name }) => name);
    expect([...new Set(used)].toSorted()).toEqual(defined.toSorted());
  });

  it('is brought by kustomize, for the sidecar to find', async () => {
    expect(parse(await read('config/monitoring/kustomization.yaml'))).toMatchObject({
      resources: ['monitors.yaml', 'rules.yaml'],
      configMapGenerator: [
        { files: ['headwater.json=dashboard.json'], options: { labels: { grafana_dashboard: '1' } } },
      ],
    });
  });
});

interface Monitor {
  readonly kind: string;
  readonly spec: {
    readonly jobLabel?: string;
    readonly selector: object;
    readonly endpoints?: readonly { readonly port: string }[];
    readonly podMetricsEndpoints?: readonly { readonly port: string }[];
  };
}

describe('the monitors', async () => {
  const monitors = parseAllDocuments(await read('config/monitoring/monitors.yaml')).map(
    (document) => document.toJS() as Monitor,
  );
  const labelled = (name: string) => ({ matchLabels: { 'app.kubernetes.io/name': name } });

  it('select what is installed, and name its job as the alerts do', () =>
    expect(monitors.map(({ kind, spec: { jobLabel, selector } }) => ({ kind, jobLabel, selector }))).toEqual([
      { kind: 'PodMonitor', jobLabel: 'app.kubernetes.io/name', selector: labelled('headwater-controller') },
      { kind: 'ServiceMonitor', jobLabel: 'app.kubernetes.io/name', selector: labelled('headwater-adapter') },
      { kind: 'PodMonitor', selector: { matchExpressions: [{ key: 'headwater.dev/source-uid', operator: 'Exists' }] } },
    ]));

  it('ask the internal port', () =>
    expect(
      monitors.flatMap(({ spec: { endpoints = [], podMetricsEndpoints = [] } }) => [
        ...endpoints.map(({ port }) => port),
        ...podMetricsEndpoints.map(({ port }) => port),
      ]),
    ).toEqual(['internal', 'internal', 'internal']));
});
