import { KubeConfig } from '@kubernetes/client-node';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ApiClient } from '../../controller/kube/api-client.ts';
import { ControllerMetrics } from '../../controller/metrics.ts';
import { QueueMetrics } from '../../controller/queue-metrics.ts';
import type { Retry } from '../../controller/step.ts';
import { WorkQueue } from '../../controller/work-queue.ts';
import { anApi, sendJson } from '../support/an-api.ts';
import { World } from '../support/world.ts';

/** Its lines of these names, without their help. */
const linesOf = (text: string, ...names: string[]) =>
  text.split('\n').filter((line) => names.some((name) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)));

describe('the metrics of a work queue', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const registry = () => new Registry();
  /** One worker; a look ends when it is told how. */
  function aQueue() {
    const metrics = registry();
    const ends: ((retry: Retry | undefined) => void)[] = [];
    const queue = new WorkQueue({
      workers: 1,
      firstDelayMs: 100,
      longestDelayMs: 1000,
      unchangedMs: 5000,
      work: () => new Promise((resolve) => ends.push(resolve)),
      onError: () => undefined,
      observer: new QueueMetrics(metrics, 'sources', () => Date.now() / 1000),
    });
    const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
    const finish = async (retry?: Retry) => {
      ends.shift()?.(retry);
      await pass(0);
    };
    const read = async (name: string) => {
      const [line = ''] = linesOf(await metrics.metrics(), name);
      expect(line).toContain('{name="sources"}');
      return Number(line.split(' ')[1]);
    };
    return { queue, pass, finish, read };
  }

  it('count keys that wait, once each, and how long they wait', async () => {
    const { queue, pass, finish, read } = aQueue();
    for (const key of ['a', 'b', 'b']) queue.add(key);
    await pass(2000);
    expect(await read('workqueue_depth')).toBe(1);
    expect(await read('workqueue_adds_total')).toBe(2);
    await finish();
    expect(await read('workqueue_depth')).toBe(0);
    expect(await read('workqueue_queue_duration_seconds_count')).toBe(2);
    expect(await read('workqueue_queue_duration_seconds_sum')).toBe(2);
  });

  it('tell how long looks take, also those under way', async () => {
    const { queue, pass, finish, read } = aQueue();
    queue.add('a');
    await pass(3000);
    expect(await read('workqueue_unfinished_work_seconds')).toBe(3);
    expect(await read('workqueue_longest_running_processor_seconds')).toBe(3);
    expect(await read('workqueue_work_duration_seconds_count')).toBe(0);
    await finish();
    expect(await read('workqueue_unfinished_work_seconds')).toBe(0);
    expect(await read('workqueue_longest_running_processor_seconds')).toBe(0);
    expect(await read('workqueue_work_duration_seconds_sum')).toBe(3);
  });

  it('count what comes again by itself as a retry, and as added when its time has come', async () => {
    const { queue, pass, finish, read } = aQueue();
    queue.add('a');
    await pass(0);
    await finish({ when: 'after', ms: 500 });
    expect([await read('workqueue_retries_total'), await read('workqueue_adds_total')]).toEqual([1, 1]);
    expect(await read('workqueue_depth')).toBe(0);
    await pass(500);
    expect([await read('workqueue_retries_total'), await read('workqueue_adds_total')]).toEqual([1, 2]);
  });
});

describe('the metrics of a controller', () => {
  it('are there from the start, so that the first error is one more', async () => {
    const text = await new ControllerMetrics(['GitHubSource']).text();
    expect(linesOf(text, 'controller_runtime_reconcile_total', 'controller_runtime_reconcile_errors_total')).toEqual([
      'controller_runtime_reconcile_total{controller="githubsource",result="success"} 0',
      'controller_runtime_reconcile_total{controller="githubsource",result="requeue"} 0',
      'controller_runtime_reconcile_total{controller="githubsource",result="requeue_after"} 0',
      'controller_runtime_reconcile_total{controller="githubsource",result="error"} 0',
      'controller_runtime_reconcile_errors_total{controller="githubsource"} 0',
    ]);
    expect(linesOf(text, 'leader_election_master_status')).toEqual([
      'leader_election_master_status{name="headwater-controller"} 0',
    ]);
  });

  it('count looks at sources by how they ended, and time them', async () => {
    const metrics = new ControllerMetrics(['GitHubSource']);
    const world = new World();
    await world.start({ onReconciled: (...look) => metrics.reconciled(...look) });
    onTestFinished(() => world.end());
    const read = async (result: string) =>
      linesOf(await metrics.text(), 'controller_runtime_reconcile_total')
        .find((line) => line.includes(`"${result}"`))
        ?.split(' ')[1];
    world.github.refuse(500);
    world.secret({ accessToken: 'token', secretToken: 'secret' });
    world.broker('http://broker.example.com/');
    world.source();
    await vi.waitFor(async () => expect(await read('requeue')).not.toBe('0'));
    expect(await read('success')).toBe('0');
    world.github.refuse(undefined);
    await vi.waitFor(async () => expect(await read('requeue_after')).not.toBe('0'));
    world.served = 'broken';
    world.broker('http://other.example.com/');
    await vi.waitFor(async () => expect(await read('error')).not.toBe('0'));
    world.served = undefined;
    world.cluster.delete(world.reference());
    // The removal, and a look at what is no more.
    await vi.waitFor(async () => expect(await read('success')).toBe('2'));
    expect(world.errors.splice(0)).not.toEqual([]);
    const text = await metrics.text();
    const [errors] = linesOf(text, 'controller_runtime_reconcile_errors_total');
    const looks = ['requeue', 'requeue_after', 'error', 'success'].map(read);
    const sum = (await Promise.all(looks)).reduce((total, count) => total + Number(count), 0);
    expect(errors).toBe(`controller_runtime_reconcile_errors_total{controller="githubsource"} ${await read('error')}`);
    expect(linesOf(text, 'controller_runtime_reconcile_time_seconds_count')).toEqual([
      `controller_runtime_reconcile_time_seconds_count{controller="githubsource"} ${sum}`,
    ]);
  });

  it('count requests to the API server, also those nobody answers', async () => {
    const { url } = await anApi((request, reply) => sendJson(reply, {}, request.method === 'PATCH' ? 409 : 200));
    const metrics = new ControllerMetrics([]);
    const clientOf = (server: string) => {
      const config = new KubeConfig();
      config.loadFromClusterAndUser({ name: 'c', server, skipTLSVerify: true }, { name: 'u' });
      const client = new ApiClient(config, (...answer) => metrics.requested(...answer));
      onTestFinished(() => client.close());
      return client;
    };
    await clientOf(url).call('GET', '/api');
    await clientOf(url).call('GET', '/api');
    await expect(clientOf(url).call('PATCH', '/api')).rejects.toThrow('409');
    await expect(clientOf('http://127.0.0.1:1').call('GET', '/api')).rejects.toThrow('ECONNREFUSED');
    const text = await metrics.text();
    expect(linesOf(text, 'rest_client_requests_total')).toEqual([
      'rest_client_requests_total{method="GET",code="200"} 2',
      'rest_client_requests_total{method="PATCH",code="409"} 1',
      'rest_client_requests_total{method="GET",code="<error>"} 1',
    ]);
    expect(linesOf(text, 'rest_client_request_duration_seconds_count')).toEqual([
      'rest_client_request_duration_seconds_count{verb="GET"} 3',
      'rest_client_request_duration_seconds_count{verb="PATCH"} 1',
    ]);
  });
});
