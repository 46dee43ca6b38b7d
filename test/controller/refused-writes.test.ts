import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AdmissionError, SourceRefusedError } from '../../controller/admission-error.ts';
import { readControllerConfig } from '../../controller/config.ts';
import { buildInternalServer } from '../../controller/internal-server.ts';
import { refusalOf } from '../../controller/kube/refusal.ts';
import { ControllerMetrics } from '../../controller/metrics.ts';
import { World } from '../support/world.ts';

const LEFT_OVER = 'validation.webhook.github.sources.knative.dev';

describe('what the API server says', () => {
  it.each([
    [
      500,
      `Internal error occurred: failed calling webhook "${LEFT_OVER}": failed to call webhook: Post "https://x"`,
      LEFT_OVER,
    ],
    [400, `admission webhook "${LEFT_OVER}" denied the request: decoding request failed`, LEFT_OVER],
    [403, 'admission webhook "policy.example.com" denied the request without explanation', 'policy.example.com'],
  ])('of a webhook: %s %s', (code, reason, webhook) => {
    expect(refusalOf('PATCH /x', code, reason)).toEqual(new AdmissionError('PATCH /x', code, reason, webhook));
  });

  it.each([
    [409, 'the object has been modified'],
    [422, `spec.name: Invalid value: "failed calling webhook "${LEFT_OVER}": x`],
  ])('of anything else: %s %s', (code, reason) => {
    expect(refusalOf('PATCH /x', code, reason)).not.toBeInstanceOf(AdmissionError);
  });
});

const refusalBy = (webhook: string) => new AdmissionError('PATCH /x', 500, 'not there', webhook);

describe('writes that an admission webhook refuses', () => {
  let world: World;
  /** undefined: they pass. */
  let webhook: string | undefined;
  /** When each write was attempted. */
  const attempts: number[] = [];
  beforeEach(async () => {
    world = new World();
    attempts.length = 0;
    const refusing =
      <Args extends unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
      async (...args: Args) => {
        attempts.push(performance.now());
        if (webhook !== undefined) throw new SourceRefusedError(refusalBy(webhook));
        return write(...args);
      };
    world.cluster.writeStatus = refusing(world.cluster.writeStatus.bind(world.cluster));
    world.cluster.addFinalizer = refusing(world.cluster.addFinalizer.bind(world.cluster));
    webhook = undefined;
  });
  afterEach(() => world.end());

  const said = () => world.announcements.filter(({ reason }) => reason === 'WriteRefused');

  it('are said once, counted each time, and pass when it is gone', async () => {
    webhook = LEFT_OVER;
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/demo/default');
    world.source();
    await world.holds(() => expect(world.refusals.length).toBeGreaterThan(2));
    expect(said()).toEqual([
      {
        type: 'Warning',
        reason: 'WriteRefused',
        message: `admission webhook ${LEFT_OVER} refuses what is to be written to this source; it is left over from the controller that served this source before: kubectl delete validatingwebhookconfigurations,mutatingwebhookconfigurations ${LEFT_OVER} --ignore-not-found. It is tried again every 0.05 s. PATCH /x: 500 not there`,
      },
    ]);
    world.now = new Date(world.now.getTime() + 1_800_000);
    await world.holds(() => expect(said()).toHaveLength(2));
    expect(world.github.calls).toEqual([]);
    webhook = undefined;
    await world.becomes('Ready=True');
    const refusals = world.refusals.length;
    await world.lookAgain();
    expect(world.refusals).toHaveLength(refusals);
    webhook = LEFT_OVER;
    world.source({ eventTypes: ['star'] });
    await world.holds(() => expect(said()).toHaveLength(3));
  });

  it('do not cost calls of the provider, again and again', async () => {
    await world.startReady();
    webhook = 'policy.example.com';
    world.source({ eventTypes: ['star'] });
    await world.holds(() => expect(world.refusals.length).toBeGreaterThan(0));
    const { length } = world.github.calls;
    await world.holds(() => expect(world.refusals.length).toBeGreaterThan(4));
    expect(world.github.calls).toHaveLength(length);
    expect(said()[0]?.message).toContain(
      'policy.example.com refuses what is to be written to this source; see whether',
    );
    webhook = undefined;
    await world.holds(() => expect(world.status().observedGeneration).toBe(2));
  });

  it('to anything else than a source are failures as any other, and said in status', async () => {
    const publishRoute = world.cluster.publishRoute.bind(world.cluster);
    world.cluster.publishRoute = () => Promise.reject(refusalBy('policy.example.com'));
    await world.start();
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/demo/default');
    world.source();
    await world.becomes('Deployed=Unknown InternalError');
    expect(world.message('Deployed')).toBe('PATCH /x: 500 not there');
    expect([world.refusals, said()]).toEqual([[], []]);
    expect(world.errors.splice(0)).not.toEqual([]);
    world.cluster.publishRoute = publishRoute;
    await world.becomes('Ready=True');
    world.errors.length = 0;
  });

  it('are not remembered of a source that is gone', async () => {
    webhook = LEFT_OVER;
    await world.start();
    for (const times of [1, 2]) {
      world.source();
      await world.holds(() => expect(said()).toHaveLength(times));
      const missed = vi.spyOn(world.cluster, 'get');
      world.cluster.delete(world.reference());
      await world.holds(() => expect(missed.mock.settledResults.at(-1)?.value).toEqual({ found: 'no-object' }));
    }
  });

  it('are tried again after a minute', () => {
    expect(readControllerConfig({}, 'pod').refusedWriteMs).toBe(60_000);
  });

  it('are not tried hot', async () => {
    webhook = LEFT_OVER;
    await world.start();
    world.source();
    await world.holds(() => expect(world.refusals.length).toBeGreaterThan(3));
    const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    // Were it the queue's own back-off, they would follow each other by 5 ms at first.
    expect(Math.min(...waits)).toBeGreaterThan(45);
  });
});

describe('the internal port', () => {
  it('answers probes, and counts refused writes by webhook', async () => {
    const metrics = new ControllerMetrics([]);
    const app = buildInternalServer(metrics);
    metrics.writeRefused(LEFT_OVER);
    metrics.writeRefused(LEFT_OVER);
    const answers = await Promise.all(['/healthz', '/readyz', '/metrics'].map((url) => app.inject(url)));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
    expect(answers[2]?.body).toContain(`headwater_controller_writes_refused_total{webhook="${LEFT_OVER}"} 2\n`);
    expect(answers[2]?.body).toContain('process_cpu_seconds_total');
    await app.close();
  });
});
