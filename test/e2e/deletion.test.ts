import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FakeSink } from '../support/fake-sink.ts';
import { RealWorld } from './support/real-world.ts';

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
  world.github.hooks.length = 0;
  world.github.calls.length = 0;
});
afterAll(async () => {
  await world.stop();
  await sink.close();
});

const remove = (wait = true) =>
  world.kubectl('delete', 'githubsource', 'hello', '-n', world.namespace, wait ? '--timeout=20s' : '--wait=false');
const isGone = () => world.holds(async () => expect(await world.object()).toBeUndefined(), 20_000);
const routes = () => world.kubectl('get', 'secrets', '-n', 'headwater-routes', '-o', 'name');
const deletions = () => world.github.calls.filter((call) => call.startsWith('DELETE')).length;
const orphans = () =>
  world.kubectl(
    'get',
    'configmap',
    'headwater-orphaned-hooks',
    '-n',
    'headwater',
    '-o',
    'jsonpath={.data}',
    '--ignore-not-found',
  );
/** Other files leave webhooks of the same ids behind. */
const lineOfHook = () => `octo/hello webhook ${world.github.hooks[0]?.id} (GitHubSource ${world.namespace}/hello)`;

describe('deleting a source', () => {
  it.each([404, 410])('%i: the webhook is gone already', async (status) => {
    await world.ready(sink.url('/'));
    world.github.refuse(status, /^DELETE/);
    await remove();
    expect(deletions()).toBe(1);
    expect(await routes()).toBe('');
  });

  it.each([401, 403, 422, 503])('%i: tried again, and said, until it goes', async (status) => {
    await world.ready(sink.url('/'));
    world.github.refuse(status, /^DELETE/);
    await remove(false);
    const { conditions } = await world.becomes('Ready=False WebhookDeletionFailed');
    expect(conditions?.find(({ type }) => type === 'Ready')?.message).toContain('headwater.dev/abandon-hook');
    expect(await routes()).not.toBe('');
    world.github.refuse(undefined);
    await isGone();
    expect(world.github.hooks).toEqual([]);
    expect(await routes()).toBe('');
    expect(deletions()).toBeLessThan(8);
  });

  it('lets go at once where the annotation says so, and notes what is left behind', async () => {
    await world.ready(sink.url('/'));
    world.github.refuse(500, /^DELETE/);
    await remove(false);
    await world.becomes('Ready=False WebhookDeletionFailed');
    await world.kubectl('annotate', 'githubsource', 'hello', '-n', world.namespace, 'headwater.dev/abandon-hook=true');
    await isGone();
    expect(await orphans()).toContain(lineOfHook());
  });

  it('with its Secret gone first', async () => {
    await world.ready(sink.url('/'));
    await world.kubectl('delete', 'secret', 'github', '-n', world.namespace);
    await remove();
    expect(world.github.hooks).toEqual([]);
  });

  it('with its namespace', async () => {
    await world.ready(sink.url('/'));
    await world.kubectl('delete', 'namespace', world.namespace, '--timeout=40s');
    expect(world.github.hooks).toEqual([]);
    expect(await routes()).toBe('');
    await world.kubectl('create', 'namespace', world.namespace);
  });

  it('lets go after its time, and notes what is left behind', async () => {
    await world.controller.end();
    world.startController({ ABANDON_HOOK_MS: '3000' });
    await world.ready(sink.url('/'));
    world.github.refuse(500, /^DELETE/);
    await remove(false);
    await world.becomes('Ready=False WebhookDeletionFailed');
    await isGone();
    expect(await orphans()).toContain(lineOfHook());
    const events = await world.kubectl('get', 'events', '-n', world.namespace, '-o', 'jsonpath={.items[*].reason}');
    expect(events).toContain('WebhookDeletionSkipped');
    expect(await routes()).toBe('');
  });
});
