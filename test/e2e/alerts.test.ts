import { describe, expect, it } from 'vitest';
import {
  adapter,
  asked,
  controller,
  delivered,
  healthy,
  kind,
  replies,
  type Series,
  sources,
  waits,
  webhooks,
} from './support/healthy-install.ts';
import { promtoolOn, rulesOfInstall } from './support/promtool.ts';

const rules = await rulesOfInstall();
const alerts = rules.groups.flatMap(({ rules: all }) => all.filter(({ alert }) => alert !== undefined));

interface Row {
  readonly alert: string;
  /** What is otherwise, from minute 60 on, than where all is well. */
  readonly series: Series;
  /** Minutes from then on until it is looked at. */
  readonly after: number;
  /** Of the alert, beside its name and severity. */
  readonly labels?: Series;
  /** As its annotations say it. */
  readonly value?: string;
  /** What it causes as well. */
  readonly beside?: readonly string[];
}

const rows: Row[] = [
  {
    alert: 'HeadwaterControllerDown',
    // It is five minutes until a value is taken for gone.
    after: 12,
    series: { [`up{${controller}}`]: '1x59 _x180' },
  },
  {
    alert: 'HeadwaterNoLeader',
    after: 4,
    series: { 'leader_election_master_status{name="headwater-controller",pod="c-1"}': '1x59 0x180' },
  },
  {
    alert: 'HeadwaterReplicaDown',
    after: 12,
    series: { 'up{job="headwater-adapter",pod="a-2"}': '1x59 0x180' },
    labels: { job: 'headwater-adapter', pod: 'a-2' },
  },
  {
    alert: 'HeadwaterQueueBehind',
    after: 30,
    series: waits({ 0.1: '0+10x59 600x180', 60: '0+10x59 600x180', 300: '0+10x240', '+Inf': '0+10x240' }),
    value: '4m 57s',
  },
  {
    alert: 'HeadwaterLookStuck',
    after: 25,
    series: { [`workqueue_longest_running_processor_seconds{${controller}}`]: '2x59 0+60x180' },
    labels: { pod: 'c-1' },
    value: '25m 0s',
  },
  {
    alert: 'HeadwaterLooksFail',
    after: 40,
    series: { [`controller_runtime_reconcile_errors_total{${controller},controller="githubsource"}`]: '3x59 4+1x180' },
    labels: { controller: 'githubsource' },
    value: '15',
  },
  {
    alert: 'HeadwaterApiServerFails',
    after: 20,
    series: { [`rest_client_requests_total{${controller},method="GET",code="<error>"}`]: '0+2x59 120+20x180' },
  },
  {
    alert: 'HeadwaterWatchesFail',
    after: 40,
    series: { [`headwater_controller_watch_failures_total{${controller}}`]: '5x59 6+1x180' },
    value: '15',
  },
  {
    alert: 'HeadwaterWritesRefused',
    after: 10,
    series: {
      [`headwater_controller_writes_refused_total{${controller},webhook="policy.example.com"}`]: '9x59 10+1x180',
    },
    labels: { webhook: 'policy.example.com' },
  },
  {
    alert: 'HeadwaterSourcesNotReady',
    after: 16,
    series: { [sources('False', 'NotFound')]: '_x60 2x180' },
    labels: { kind: 'GitHubSource', ready: 'False', reason: 'NotFound' },
    value: '2',
  },
  {
    alert: 'HeadwaterWebhooksNotCompared',
    after: 62,
    series: { [webhooks('not-compared')]: '0x59 3x180' },
    labels: { kind: 'GitHubSource' },
    value: '3',
  },
  {
    alert: 'HeadwaterOldWebhooksRemain',
    after: 62,
    series: { [webhooks('old-remains')]: '0x59 1x180' },
    labels: { kind: 'GitHubSource' },
    value: '1',
  },
  { alert: 'HeadwaterWebhooksOrphaned', after: 6, series: { headwater_orphaned_webhooks: '0x59 2x180' }, value: '2' },
  {
    alert: 'HeadwaterQuotaLow',
    after: 6,
    series: { [`headwater_provider_quota_remaining{${kind},api="api.github.com"}`]: '4000x59 400x180' },
    labels: { kind: 'GitHubSource', api: 'api.github.com' },
    value: '400',
  },
  {
    alert: 'HeadwaterRateLimited',
    after: 20,
    series: { [asked('not-sent')]: '0x59 1+1x180' },
    labels: { kind: 'GitHubSource' },
  },
  {
    alert: 'HeadwaterProviderFails',
    after: 35,
    series: { [asked('failing')]: '0+1x59 60+10x180' },
    labels: { kind: 'GitHubSource' },
  },
  {
    alert: 'HeadwaterAdapterDown',
    after: 4,
    series: { [`up{${adapter}}`]: '1x59 0x180' },
  },
  {
    alert: 'HeadwaterRoutesDiffer',
    after: 12,
    series: { 'headwater_routes{job="headwater-adapter",pod="a-2"}': '6x59 5x180' },
  },
  {
    alert: 'HeadwaterSinkDown',
    after: 30,
    series: {
      [delivered('kept')]: '0+20x59 1200x180',
      [delivered('undelivered')]: '7x59 8+1x180',
      [`headwater_sink_attempts_total{${adapter}}`]: '0+21x59 1260+4x180',
    },
    labels: { source: 'demo/hello', outcome: 'undelivered' },
    beside: ['HeadwaterDeliveriesUndelivered', 'HeadwaterSinksRetried'],
  },
  {
    alert: 'HeadwaterDeliveriesUndelivered',
    after: 1,
    // The first of its source in this process.
    series: { [delivered('undelivered', 'demo/other')]: '_x60 1x180', [delivered('kept', 'demo/other')]: '_x60 1x180' },
    labels: { source: 'demo/other', outcome: 'undelivered' },
    value: '1',
  },
  {
    alert: 'HeadwaterDeliveriesRefused',
    after: 20,
    series: { [delivered('refused')]: '7x59 8+1x180' },
    labels: { source: 'demo/hello', outcome: 'refused' },
    value: '15',
  },
  {
    alert: 'HeadwaterEventsDeadLettered',
    after: 20,
    series: { [`headwater_dead_lettered_total{${adapter}}`]: '3x59 4+1x180' },
    value: '15',
  },
  {
    alert: 'HeadwaterSignaturesWrong',
    after: 20,
    series: { [delivered('forged')]: '7x59 8+1x180', [delivered('unsigned')]: '0x59 1+1x180' },
    labels: { source: 'demo/hello' },
    value: '30',
  },
  {
    alert: 'HeadwaterAdapterOutOfRoom',
    after: 20,
    series: { [delivered('no-room')]: '7x59 8+1x180' },
    value: '15',
  },
  {
    alert: 'HeadwaterDeliveriesSlow',
    after: 30,
    series: replies({ 0.1: '0+20x59 1200x180', 5: '0+20x59 1200x180', 8: '0+20x240', '+Inf': '0+20x240' }),
    value: '7.97s',
  },
  {
    alert: 'HeadwaterSinksRetried',
    after: 35,
    series: { [`headwater_sink_attempts_total{${adapter}}`]: '0+21x59 1260+60x180' },
  },
  {
    alert: 'HeadwaterAdapterBusy',
    after: 25,
    series: { [`process_cpu_seconds_total{${adapter}}`]: '0+30x59 1800+57x180' },
    labels: { job: 'headwater-adapter', pod: 'a-1' },
  },
  {
    alert: 'HeadwaterMemoryNearLimit',
    after: 12,
    series: { [`process_resident_memory_bytes{${adapter}}`]: '200000000x59 500000000x180' },
    labels: { job: 'headwater-adapter', pod: 'a-1' },
    value: '476.8Mi',
  },
];

const inputOf = (series: Series) => Object.entries(series).map(([name, values]) => ({ series: name, values }));
const firing = (eval_time: string, names: readonly string[]) => ({
  expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
  eval_time,
  exp_samples: names.toSorted().map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
});
const ruleOf = (name: string) => alerts.find(({ alert }) => alert === name);

/** As Prometheus renders it: of each alert all values have one form. */
const rendered = (template: string, { labels = {}, value = '' }: Row) =>
  template
    .replaceAll(/{{ \$labels\.(\w+) }}/g, (_all, label: string) => labels[label] ?? '')
    .replaceAll(/{{ \$value[^}]*}}/g, value);

function alertOf(row: Row) {
  const { labels = {}, annotations = {} } = ruleOf(row.alert) ?? {};
  return {
    exp_labels: { ...labels, ...row.labels },
    exp_annotations: Object.fromEntries(Object.entries(annotations).map(([name, text]) => [name, rendered(text, row)])),
  };
}

async function testRules(...tests: object[]): Promise<string> {
  const file = { rule_files: ['rules.yaml'], evaluation_interval: '1m', tests };
  return promtoolOn({ 'rules.yaml': rules, 'test.yaml': file }, 'test', 'rules', 'test.yaml');
}

describe('the rules of config/monitoring', () => {
  it('are rules to promtool', async () => {
    const count = rules.groups.flatMap(({ rules: all }) => all).length;
    expect(await promtoolOn({ 'rules.yaml': rules }, 'check', 'rules', 'rules.yaml')).toContain(
      `SUCCESS: ${count} rules found`,
    );
  });

  it('have a row each below', () => expect(rows.map(({ alert }) => alert)).toEqual(alerts.map(({ alert }) => alert)));

  it('say nothing while all is well', async () => {
    const test = {
      interval: '1m',
      input_series: inputOf(healthy),
      promql_expr_test: ['30m', '2h', '4h'].map((time) => firing(time, [])),
    };
    expect(await testRules(test)).toContain('SUCCESS');
  });

  it.each(rows)('$alert fires, and nothing else does', async (row) => {
    const test = {
      interval: '1m',
      input_series: inputOf({ ...healthy, ...row.series }),
      alert_rule_test: [{ eval_time: `${60 + row.after}m`, alertname: row.alert, exp_alerts: [alertOf(row)] }],
      promql_expr_test: [firing('59m', []), firing(`${60 + row.after}m`, [row.alert, ...(row.beside ?? [])])],
    };
    expect(await testRules(test)).toContain('SUCCESS');
  });
});
