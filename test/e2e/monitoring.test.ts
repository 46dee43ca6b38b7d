import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { operatorCrds } from './support/operator-crds.ts';
import { faultsOfMetrics } from './support/promtool.ts';
import { RealWorld } from './support/real-world.ts';

const config = join(import.meta.dirname, '../../config/monitoring');

let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  world = new RealWorld();
  sink = await FakeSink.start();
  await world.start();
});
afterAll(async () => {
  await world.kubectl('delete', '-k', config, '--ignore-not-found');
  await world.stop();
  await sink.close();
});

describe('config/monitoring', () => {
  it('is taken by the definitions of the Prometheus Operator, with no field unknown to them', async () => {
    for (const crd of await operatorCrds())
      await world.kubectl('apply', '--server-side', '--force-conflicts', '-f', crd);
    await world.kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
    const applied = await world.kubectl('apply', '--validate=strict', '-k', config);
    expect(applied.trim().split('\n').toSorted()).toEqual([
      'configmap/headwater-dashboard created',
      'podmonitor.monitoring.coreos.com/headwater-controller created',
      'podmonitor.monitoring.coreos.com/headwater-dedicated created',
      'prometheusrule.monitoring.coreos.com/headwater created',
      'servicemonitor.monitoring.coreos.com/headwater-adapter created',
    ]);
    const found = await world.kubectl(
      'get',
      'configmaps',
      '-n',
      'headwater',
      '-l',
      'grafana_dashboard=1',
      '-o',
      'json',
    );
    const { items } = JSON.parse(found) as { items: { data: Record<string, string> }[] };
    expect(items.map(({ data }) => (JSON.parse(data['headwater.json'] ?? '') as { uid: string }).uid)).toEqual([
      'headwater',
    ]);
  });
});

const metricsOf = async (log: string, port: RegExp) =>
  (await fetch(`http://127.0.0.1:${port.exec(log)?.[1]}/metrics`)).text();
const ofController = () => metricsOf(world.controller.log, /"port":(\d+)/);
const ofAdapter = () => metricsOf(world.adapter.log, /"internalPort":(\d+)/);

describe('what the two planes measure', () => {
  it('tells of a source from its first look to its first delivery', async () => {
    await world.ready(sink.url('/broker'));
    const delivery = simulator.deliver({ eventType: 'push', payload: { ref: 'refs/heads/main' } }, 's3cret');
    const { uid } = (await world.object())?.metadata ?? {};
    const { headers, body } = delivery;
    await fetch(`${world.adapterUrl}/hooks/${uid}`, { method: 'POST', headers, body: new Uint8Array(body) });
    await world.holds(async () =>
      expect((await ofController()).split('\n')).toEqual(
        expect.arrayContaining([
          'leader_election_master_status{name="headwater-controller"} 1',
          'headwater_sources{kind="GitHubSource",ready="True",reason=""} 1',
          'headwater_webhooks{kind="GitHubSource",state="configured"} 1',
          'headwater_orphaned_webhooks 0',
          'workqueue_depth{name="sources"} 0',
          'headwater_provider_requests_total{kind="GitHubSource",method="POST",result="ok"} 1',
          expect.stringMatching(/^headwater_provider_quota_remaining{kind="GitHubSource",api="127.0.0.1:\d+"} 49\d\d$/),
          expect.stringMatching(/^rest_client_requests_total{method="GET",code="200"} [1-9]/),
          expect.stringMatching(
            /^controller_runtime_reconcile_total{controller="githubsource",result="requeue_after"} [1-9]/,
          ),
        ]),
      ),
    );
    await world.holds(async () =>
      expect(await ofAdapter()).toMatch(
        new RegExp(`^headwater_deliveries_total{source="${world.namespace}/hello",outcome="kept"} [1-9]`, 'm'),
      ),
    );
  });

  it.each([
    ['the controller', ofController],
    ['the adapter', ofAdapter],
  ])('has the form that promtool asks for: %s', async (_plane, read) => {
    const faults = (await faultsOfMetrics(await read())).split('\n').filter(Boolean);
    // prom-client's own have one name for a gauge that promtool wants for counters.
    expect(faults.filter((line) => !/^nodejs_active_\w+_total non-counter/.test(line))).toEqual([]);
  });
});
