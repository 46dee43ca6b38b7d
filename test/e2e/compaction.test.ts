import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiClient } from '../../controller/kube/api-client.ts';
import { transportOf } from '../../controller/kube/transport.ts';
import { type ApiObject, ListWatch } from '../../core/list-watch.ts';
import { simulator } from '../../sources/github/simulator.ts';
import { CutOff } from '../support/cut-off.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { startCluster, type TestCluster } from './support/cluster.ts';
import type { ControlPlane } from './support/control-plane.ts';
import { RealWorld } from './support/real-world.ts';

/** A control plane of its own, whose watches are etcd's: what is compacted there is gone. */
let plane: ControlPlane;
let cluster: TestCluster;
beforeAll(async () => void ({ plane, cluster } = await startCluster({ watchCache: false })));
afterAll(() => plane.stop());

it('a watch that begins before the compaction is 410, and the list is made again', async () => {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig);
  const api = new ApiClient(config);
  const path = '/api/v1/namespaces/default/configmaps';
  const transport = transportOf(api, path, { keep: (object: ApiObject) => object });
  const failures: unknown[] = [];
  const told: string[] = [];
  let lists = 0;
  let goneWith: string | undefined;
  const listWatch = new ListWatch<ApiObject>({
    transport: {
      list: (page, signal) => {
        lists += 1;
        return transport.list(page, signal);
      },
      async *watch(from, signal) {
        for await (const event of transport.watch(from, signal)) {
          if (event.type === 'ERROR') goneWith = JSON.stringify(event.object);
          // Its bookmarks, in which a newer version would stand, do not arrive.
          if (event.type !== 'BOOKMARK') yield event;
        }
      },
    },
    onChange: ({ metadata }) => void told.push(metadata.name),
    onGone: () => undefined,
    onFailure: (error) => void failures.push(error),
    timings: { watchSeconds: 2, firstRetryMs: 50, longestRetryMs: 200 },
  });
  const world = new RealWorld(cluster);
  await world.open();
  try {
    listWatch.start();
    await listWatch.firstList;
    // Other things change, so that there is something to forget.
    for (const name of ['one', 'two']) await world.kubectl('create', 'configmap', name, '-n', world.namespace);
    await plane.compact();
    await world.holds(() => expect(goneWith).toContain('410'));
    await world.holds(() => expect(lists).toBe(2));
    await world.kubectl('create', 'configmap', 'late', '-n', 'default');
    await world.holds(() => expect(told).toContain('late'));
    expect(failures).toEqual([]);
  } finally {
    await listWatch.stop();
    await api.close();
    await world.stop();
  }
});

it('what changed while both planes were cut off, and was compacted, is followed', async () => {
  const world = new RealWorld(cluster);
  const sink = await FakeSink.start();
  const way = await CutOff.start(cluster.apiUrl);
  try {
    await world.open();
    const KUBECONFIG = await world.kubeconfigOf('headwater-controller', way.url);
    await world.start({ LEASE_MS: '60000', LEASE_RENEW_DEADLINE_MS: '50000', KUBECONFIG });
    await world.adapter.end();
    world.startAdapter({ KUBERNETES_API_URL: way.url });
    await world.ready(sink.url('/before'));
    way.freeze();
    await world.apply(world.source({ eventTypes: ['star'] }), world.source({}, 'second'));
    await world.broker(sink.url('/after'));
    await world.apply(world.secret({ accessToken: 'token', secretToken: 'rotated' }));
    await plane.compact();
    way.cut();
    way.thaw();
    await world.holds(() =>
      expect(world.github.hooks.map(({ events, config }) => [events, config.secret])).toEqual([
        [['star'], 'rotated'],
        [['push', 'issues'], 'rotated'],
      ]),
    );
    const { webhookURL = '' } = await world.becomes('Ready=True');
    const delivery = simulator.deliver({ eventType: 'star', payload: { action: 'created' } }, 'rotated');
    const body = new Uint8Array(delivery.body);
    expect((await fetch(webhookURL, { method: 'POST', headers: delivery.headers, body })).status).toBe(202);
    expect(sink.received.at(-1)?.path).toBe('/after');
  } finally {
    await world.stop();
    await way.stop();
    await sink.close();
  }
});
