import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FakeSink } from '../support/fake-sink.ts';
import { RealWorld } from './support/real-world.ts';

/** What upstream's controller was seen to do on a real API server, with our outcome; what is refused at apply is in admission.test.ts. */
let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  world = new RealWorld();
  sink = await FakeSink.start();
  await world.start();
});
afterEach(async () => {
  world.github.refuse(undefined);
  await world.kubectl('delete', 'githubsources,secrets,brokers', '--all', '-n', world.namespace, '--timeout=20s');
  world.github.calls.length = 0;
});
afterAll(async () => {
  await world.stop();
  await sink.close();
});

const secrets = { accessToken: 'token', secretToken: 's3cret' };
const message = async (type: string) =>
  (await world.status()).conditions?.find((one) => one.type === type)?.message ?? '';

describe('seen on a real API server', () => {
  it('no Secret; then one without the key; then a whole one, which is noticed at once', async () => {
    await world.broker(sink.url('/'));
    await world.apply(world.source());
    await world.becomes('Ready=False AccessTokenNotFound');
    await world.apply(world.secret({ accessToken: 'token' }));
    await world.becomes('Ready=False SecretTokenNotFound');
    expect(await message('Ready')).toContain('key "secretToken" not found in secret "github"');
    await world.apply(world.secret(secrets));
    await world.becomes('Ready=True', 'hello', 10_000);
  });

  it('a rotated Secret reaches the webhook', async () => {
    await world.ready(sink.url('/'));
    await world.apply(world.secret({ accessToken: 'token', secretToken: 'rotated' }));
    await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe('rotated'), 10_000);
  });

  it('a missing sink, and a kind that is not installed', async () => {
    await world.apply(world.secret(secrets), world.source());
    await world.becomes('Ready=False NotFound');
    expect(await message('SinkProvided')).toContain(`Broker ${world.namespace}/default`);
    await world.apply(
      world.source({ sink: { ref: { apiVersion: 'nowhere.example.com/v1', kind: 'Thing', name: 'x' } } }),
    );
    await world.holds(async () => expect(await message('SinkProvided')).toContain('Thing'));
  });

  it('a sink that may not be read is said, with the right to give', async () => {
    await world.apply(
      world.secret(secrets),
      world.source({ sink: { ref: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' } } }),
    );
    await world.becomes('Ready=False Forbidden');
    expect(await message('SinkProvided')).toContain('get, list and watch on deployments (apps/v1)');
  });

  it('GitHub fails: tried again, not hot, and passes', async () => {
    world.github.refuse(500);
    const times: number[] = [];
    world.onExchange = () => void times.push(performance.now());
    await world.broker(sink.url('/'));
    await world.apply(world.secret(secrets), world.source());
    await world.becomes('Ready=False CreationFailed');
    await world.holds(() => expect(times.length).toBeGreaterThan(3));
    world.onExchange = () => undefined;
    // 0.2, 0.4 and 0.8 s lie between the first four.
    expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(1000);
    world.github.refuse(undefined);
    await world.becomes('Ready=True');
  });

  it('an owner that is none', async () => {
    await world.broker(sink.url('/'));
    await world.apply(world.secret(secrets), world.source({ ownerAndRepository: 'a/b/c' }));
    await world.becomes('Ready=False CreationFailed');
    expect(await message('Ready')).toContain('must be owner/repository or an organization');
    expect(world.github.calls).toEqual([]);
  });

  it('deleting: 204 is a success, with one call', async () => {
    await world.ready(sink.url('/'));
    await world.kubectl('delete', 'githubsource', 'hello', '-n', world.namespace, '--timeout=20s');
    expect(world.github.calls.filter((call) => call.startsWith('DELETE'))).toHaveLength(1);
  });

  it('deleting: 500 is tried again until it is gone, and nothing leaks', async () => {
    await world.ready(sink.url('/'));
    world.github.refuse(500, /^DELETE/);
    await world.kubectl('delete', 'githubsource', 'hello', '-n', world.namespace, '--wait=false');
    await world.becomes('Ready=False WebhookDeletionFailed');
    world.github.refuse(undefined);
    await world.holds(async () => expect(await world.object()).toBeUndefined());
    expect(world.github.hooks).toEqual([]);
  });

  it('deleting with the Secret gone first', async () => {
    await world.ready(sink.url('/'));
    await world.kubectl('delete', 'secret', 'github', '-n', world.namespace);
    await world.becomes('Ready=False AccessTokenNotFound');
    await world.kubectl('delete', 'githubsource', 'hello', '-n', world.namespace, '--timeout=20s');
    expect(world.github.hooks).toEqual([]);
  });

  it('secure: false stays http where the public address is https', async () => {
    await world.controller.end();
    world.startController({ PUBLIC_URL: 'https://hooks.example.com' });
    await world.ready(sink.url('/'), { secure: false });
    const { uid = '' } = (await world.object())?.metadata ?? {};
    await world.apply(world.source({ secure: false, eventTypes: ['star'] }));
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['star']));
    expect(world.github.hooks[0]?.config.url).toBe(`http://hooks.example.com/hooks/${uid}`);
  });
});
