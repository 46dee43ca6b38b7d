import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { simulator } from '../../sources/github/simulator.ts';
import { CutOff } from '../support/cut-off.ts';
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
async function deny(...denied: string[]): Promise<void> {
  const role = JSON.parse(await world.kubectl('get', 'clusterrole', 'headwater-controller', '-o', 'json')) as {
    rules: { resources: string[] }[];
  };
  role.rules = role.rules.filter(({ resources }) => !resources.some((name) => denied.includes(name)));
  await writeFile(world.file('role.json'), JSON.stringify(role));
  await world.kubectl('replace', '-f', world.file('role.json'));
}

const messageOf = async (type: string) =>
  (await world.status()).conditions?.find((one) => one.type === type)?.message ?? '';
const said = (text: string) => world.controller.log.split('\n').filter((line) => line.includes(text)).length;

describe('the controller without the right', () => {
  it('to read Secrets and a kind of sink says which to give, and goes on when they are given', async () => {
    await deny('secrets', 'brokers');
    await world.broker(sink.url('/'));
    await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }), world.source());
    await world.becomes('Ready=False AccessTokenForbidden');
    expect(await messageOf('SecretsProvided')).toContain('give its ServiceAccount get, list and watch on secrets');
    expect(await messageOf('SinkProvided')).toContain('get, list and watch on brokers (eventing.knative.dev/v1)');
    await restore();
    await world.becomes('Ready=True', 'hello', 30_000);
    expect(said('"Secret"')).toBeLessThan(3);
    expect(said('"Broker"')).toBeLessThan(3);
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

  it('to write status: says so in its log, tries again, and makes no second webhook', async () => {
    await deny('githubsources/status');
    const from = said('reconcile failed');
    await world.broker(sink.url('/'));
    await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }), world.source());
    await world.holds(() => expect(said('cannot patch resource \\"githubsources/status\\"')).toBeGreaterThan(3));
    expect((await world.status()).conditions).toBeUndefined();
    await restore();
    await world.becomes('Ready=True', 'hello', 30_000);
    expect(said('reconcile failed') - from).toBeLessThan(12);
    expect(world.github.hooks).toHaveLength(1);
  });

  it('to hold its Lease: does not lead, and leads when it may', async () => {
    await world.kubectl('delete', 'rolebinding', 'headwater-controller', '-n', 'headwater');
    await world.controller.end();
    world.startController();
    await world.holds(() => expect(said('lease not renewed')).toBeGreaterThan(1));
    await world.broker(sink.url('/'));
    await world.apply(world.secret({ accessToken: 'token', secretToken: 's3cret' }), world.source());
    expect(said('"leading"')).toBe(0);
    expect((await world.object())?.metadata.finalizers).toBeUndefined();
    await restore();
    await world.becomes('Ready=True', 'hello', 30_000);
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
    expect(said('githubsources')).toBeLessThan(3);
  });
});

describe('the adapter', () => {
  const deliver = async () => {
    const { webhookURL = '' } = await world.status();
    const delivery = simulator.deliver({ eventType: 'push', payload: { compare: 'a' } }, 's3cret');
    const body = new Uint8Array(delivery.body);
    return (await fetch(webhookURL, { method: 'POST', headers: delivery.headers, body })).status;
  };
  const takeRight = () => world.kubectl('delete', 'rolebinding', 'headwater-adapter', '-n', 'headwater-routes');

  it('goes on with what it has when it may not read routes any more, and follows when it may again', async () => {
    const way = await CutOff.start(world.cluster.apiUrl);
    try {
      await world.adapter.end();
      world.startAdapter({ KUBERNETES_API_URL: way.url });
      await world.ready(sink.url('/before'));
      await takeRight();
      // A watch that is open already is not asked for its right.
      way.cut();
      await world.holds(() => expect(world.adapter.log).toContain('403'));
      await world.broker(sink.url('/after'));
      await world.holds(async () => expect((await world.status()).sinkUri).toBe(sink.url('/after')));
      expect(await deliver()).toBe(202);
      expect(sink.received.at(-1)?.path).toBe('/before');
      await restore();
      await world.holds(async () => {
        expect(await deliver()).toBe(202);
        expect(sink.received.at(-1)?.path).toBe('/after');
      });
    } finally {
      await way.stop();
    }
  });

  it('that starts without the right takes no deliveries until it has it', async () => {
    await takeRight();
    await world.adapter.end();
    world.startAdapter();
    await world.holds(() => expect(world.adapter.log).toContain('403'));
    expect(world.adapter.log).not.toContain('adapter ready');
    await restore();
    await world.ready(sink.url('/'));
    expect(await deliver()).toBe(202);
  });

  it('may read Secrets of the routes namespace, and do nothing else', async () => {
    const rightsOf = async (account: string, namespace: string) => {
      const as = `--as=system:serviceaccount:headwater:${account}`;
      const table = await world.kubectl('auth', 'can-i', '--list', '--no-headers', '-n', namespace, as);
      return table.split('\n').map((line) => line.replace(/ +/g, ' ').trim());
    };
    const ofAnybody = new Set(await rightsOf('nobody', 'default'));
    const ownRightsIn = async (namespace: string) =>
      (await rightsOf('headwater-adapter', namespace)).filter((right) => !ofAnybody.has(right));
    expect(await ownRightsIn('headwater-routes')).toEqual(['secrets [] [] [get list watch]']);
    for (const namespace of ['default', 'headwater', 'kube-system', world.namespace])
      expect(await ownRightsIn(namespace)).toEqual([]);
  });
});
