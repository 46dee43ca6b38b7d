import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { RealWorld } from './support/real-world.ts';

/** What the planes say when a right is missing; and that they go on when it is given. */
let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  world = new RealWorld();
  sink = await FakeSink.start();
  await world.start();
});
afterEach(async () => {
  await restore();
  await world.kubectl('delete', 'githubsources,secrets,brokers', '--all', '-n', world.namespace, '--timeout=20s');
});
afterAll(async () => {
  await world.stop();
  await sink.close();
});

const rights = join(import.meta.dirname, '../../config/rbac');
const restore = () => world.kubectl('apply', '--server-side', '--force-conflicts', '-f', rights);

/** Takes the rules for these resources out of the controller's ClusterRole. */
async function deny(resource: string): Promise<void> {
  const role = JSON.parse(await world.kubectl('get', 'clusterrole', 'headwater-controller', '-o', 'json')) as {
    rules: { resources: string[] }[];
  };
  role.rules = role.rules.filter(({ resources }) => !resources.includes(resource));
  await writeFile(world.file('role.json'), JSON.stringify(role));
  await world.kubectl('replace', '-f', world.file('role.json'));
}

const messageOf = async (type: string) =>
  (await world.status()).conditions?.find((one) => one.type === type)?.message ?? '';
const said = (text: string) => world.controller.log.split('\n').filter((line) => line.includes(text)).length;

describe('the controller without the right', () => {
  it('to read Secrets says which to give, and goes on when it is given', async () => {
    await deny('secrets');
    await world.broker(sink.url('/'));
    await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }), world.source());
    await world.becomes('Ready=False AccessTokenForbidden');
    expect(await messageOf('SecretsProvided')).toContain('give its ServiceAccount get, list and watch on secrets');
    await restore();
    await world.becomes('Ready=True', 'hello', 30_000);
    expect(said('"Secret"')).toBeLessThan(6);
  });

  it('to read a kind of sink', async () => {
    await deny('brokers');
    await world.broker(sink.url('/'));
    await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }), world.source());
    await world.becomes('Ready=False Forbidden');
    expect(await messageOf('SinkProvided')).toContain('get, list and watch on brokers (eventing.knative.dev/v1)');
    await restore();
    await world.becomes('Ready=True', 'hello', 30_000);
  });

  it('to write routes', async () => {
    await world.kubectl('delete', 'rolebinding', 'headwater-controller', '-n', 'headwater-routes');
    await world.broker(sink.url('/'));
    const from = said('reconcile failed');
    await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }), world.source());
    await world.becomes('Ready=Unknown InternalError');
    expect(await messageOf('Deployed')).toMatch(
      /secrets "route-.*" is forbidden: User .*headwater-controller.*headwater-routes/,
    );
    await restore();
    await world.becomes('Ready=True', 'hello', 30_000);
    expect(said('reconcile failed') - from).toBeLessThan(12);
  });

  it('to see sources: says so in its log, and goes on', async () => {
    await deny('githubsources');
    await world.controller.end();
    world.startController();
    await world.holds(() => expect(said('githubsources')).toBeGreaterThan(0), 20_000);
    await world.broker(sink.url('/'));
    await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }), world.source());
    await restore();
    await world.becomes('Ready=True', 'hello', 30_000);
    expect(said('githubsources')).toBeLessThan(6);
  });
});

describe('the adapter', () => {
  it('goes on with what it has when it may not read routes any more, and follows when it may again', async () => {
    const { webhookURL = '' } = await world.ready(sink.url('/'));
    await world.kubectl('delete', 'rolebinding', 'headwater-adapter', '-n', 'headwater-routes');
    const deliver = async () => {
      const delivery = simulator.deliver({ eventType: 'push', payload: { compare: 'a' } }, 's3cret');
      const body = new Uint8Array(delivery.body);
      return (await fetch(webhookURL, { method: 'POST', headers: delivery.headers, body })).status;
    };
    await world.adapter.end();
    world.startAdapter();
    await world.holds(() => expect(world.adapter.log).toContain('403'));
    expect(await deliver().catch(() => 'no answer')).toBe('no answer');
    await restore();
    await world.holds(async () => expect(await deliver()).toBe(202), 30_000);
  });

  it('may read Secrets of the routes namespace, and do nothing else', async () => {
    const may = async (...what: string[]) =>
      (
        await world
          .kubectl('auth', 'can-i', ...what, '--as=system:serviceaccount:headwater:headwater-adapter')
          .catch(() => 'no')
      ).trim();
    for (const verb of ['get', 'list', 'watch'])
      expect(await may(verb, 'secrets', '-n', 'headwater-routes')).toBe('yes');
    for (const namespace of ['default', 'headwater', 'kube-system', world.namespace])
      for (const verb of ['get', 'list', 'watch']) expect(await may(verb, 'secrets', '-n', namespace)).toBe('no');
    for (const verb of ['get', 'list', 'watch']) expect(await may(verb, 'secrets', '--all-namespaces')).toBe('no');
    for (const verb of ['create', 'update', 'patch', 'delete'])
      expect(await may(verb, 'secrets', '-n', 'headwater-routes')).toBe('no');
    expect(await may('list', 'githubsources', '--all-namespaces')).toBe('no');
  });
});
