import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FakeSink } from '../support/fake-sink.ts';
import { RealWorld } from './support/real-world.ts';

/** Sinks of kinds that are installed after the sources that name them. */
let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  world = new RealWorld();
  sink = await FakeSink.start();
  // Renewals would be most of what is asked at rest.
  await world.start({ LEASE_MS: '90000', LEASE_RENEW_DEADLINE_MS: '80000', LEASE_RETRY_MS: '60000' });
});
afterEach(async () => {
  await world.kubectl('delete', 'githubsources,secrets', '--all', '-n', world.namespace, '--timeout=20s');
  await world.kubectl('delete', 'crd', DEFINITION, '--ignore-not-found', '--timeout=20s');
});
afterAll(async () => {
  await world.kubectl('delete', 'clusterrole', 'late-things');
  await world.stop();
  await sink.close();
});

const GROUP = 'late.example.com';
const DEFINITION = `things.${GROUP}`;
const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
const thing = (url: string) => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'Thing',
  metadata: { name: 'one', namespace: world.namespace },
  status: { address: { url } },
});
const definition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: DEFINITION },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { kind: 'Thing', plural: 'things', singular: 'thing' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: open } }],
  },
};
const readRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'late-things', labels: { 'duck.knative.dev/addressable': 'true' } },
  rules: [{ apiGroups: [GROUP], resources: ['things'], verbs: ['get', 'list', 'watch'] }],
};
const aSource = () =>
  world.apply(
    world.secret({ accessToken: 'token', secretToken: 's3cret' }),
    world.source({ sink: { ref: { apiVersion: `${GROUP}/v1`, kind: 'Thing', name: 'one' } } }),
  );
async function install(): Promise<void> {
  await world.apply(readRole, definition);
  await world.kubectl('wait', '--for=condition=Established', 'crd', DEFINITION, '--timeout=20s');
}

/** Of all ServiceAccounts, discovery included. */
async function requestsOfAccounts(): Promise<number> {
  const metrics = await world.kubectl('get', '--raw', '/metrics');
  const counts = metrics.matchAll(
    /^apiserver_flowcontrol_dispatched_requests_total\{.*flow_schema="service-accounts".*\} (\d+)$/gm,
  );
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a kind of sink that is not installed', () => {
  it('is not asked for again and again, and followed at once when it comes, goes, and comes back', async () => {
    await aSource();
    await world.becomes('Ready=False NotFound');
    await world.holds(async () => {
      const before = await requestsOfAccounts();
      expect(before).toBeGreaterThan(0);
      await pause(4000);
      // The Leases of upstream are looked at every 2 s.
      expect((await requestsOfAccounts()) - before).toBeLessThan(5);
    }, 60_000);
    await install();
    const message = async () =>
      (await world.status()).conditions?.find(({ type }) => type === 'SinkProvided')?.message ?? '';
    await world.holds(async () => expect(await message()).toContain('create it, or name another sink'), 5000);
    await world.apply(thing(sink.url('/late')));
    await world.becomes('Ready=True', 'hello', 5000);
    await world.kubectl('delete', 'crd', DEFINITION, '--timeout=20s');
    await world.becomes('Ready=False NotFound', 'hello', 10_000);
    await install();
    await world.apply(thing(sink.url('/again')));
    await world.becomes('Ready=True', 'hello', 5000);
    expect((await world.status()).sinkUri).toBe(sink.url('/again'));
  });

  it('is found later without the right to see definitions, which is said once', async () => {
    await world.kubectl('delete', 'clusterrolebinding', 'headwater-definitions');
    try {
      await world.controller.end();
      world.startController();
      await aSource();
      await world.becomes('Ready=False NotFound');
      await install();
      await world.apply(thing(sink.url('/unseen')));
      await world.becomes('Ready=True');
      expect(world.controller.log.split('definitions not watched')).toHaveLength(2);
    } finally {
      await world.kubectl(
        'apply',
        '--server-side',
        '--force-conflicts',
        '-f',
        join(import.meta.dirname, '../../config/rbac'),
      );
    }
  });
});
