import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clusterToInstallInto, type InstalledCluster } from './support/installed-cluster.ts';
import { PageCommands } from './support/page-commands.ts';

const config = join(import.meta.dirname, '../../config/default');

const started = new AsyncDisposableStack();
const { world, sink, pods }: InstalledCluster = await clusterToInstallInto(started);
const install = new PageCommands(world, 'docs/install.md');
const page = new PageCommands(world, 'docs/uninstall.md');
afterAll(() => started.disposeAsync());

/** Everything of ours, and all there is of sources. */
async function left(): Promise<string[]> {
  const kinds = ['namespaces', 'crds', 'clusterroles', 'clusterrolebindings'];
  const objects = await world.kubectl('get', kinds.join(','), '-o', 'name');
  const sources = await world.kubectl('get', 'githubsources', '-A', '-o', 'name').catch(() => '');
  return [...objects.split('\n').filter((name) => /headwater|githubsource/.test(name)), ...sources.split('\n')].filter(
    Boolean,
  );
}
const goes = (timeout = 60_000) => world.holds(async () => expect(await left()).toEqual([]), timeout);
const areGone = (...kinds: string[]) =>
  world.holds(async () => {
    const found = await world.kubectl('get', ...kinds, '-o', 'name');
    expect(found.split('\n').filter((name) => name.includes('headwater'))).toEqual([]);
  }, 60_000);

beforeEach(async () => {
  await install.run('kubectl apply -k config/default');
  await install.run('PUBLIC_URL=');
  await install.run('kubectl wait --for=condition=Established');
  await world.kubectl('rollout', 'status', '-n', 'headwater', 'deployment/headwater-controller', '--timeout=100s');
  world.controller = pods.of('headwater-controller')[0]?.process as typeof world.controller;
  await world.apply(
    world.secret({ accessToken: 'token', secretToken: 's3cret' }),
    world.source({ sink: { uri: sink.url('/') } }),
  );
  await world.becomes('Ready=True', 'hello', 60_000);
});
afterEach(() => void (world.github.hooks.length = 0));

/** What a reader does who does not read, and stops the command that waits. */
async function deleteWhileSourcesAreThere(): Promise<void> {
  // Else it is a race, in which some webhooks are removed.
  await world.kubectl('delete', 'deployment', 'headwater-controller', '-n', 'headwater');
  await world.holds(() => expect(pods.of('headwater-controller')).toEqual([]));
  await world.kubectl('delete', '-k', config, '--wait=false', '--ignore-not-found');
  await areGone('namespaces');
  const source = await world.object();
  expect(source?.metadata).toMatchObject({ finalizers: [expect.any(String)], deletionTimestamp: expect.any(String) });
  expect(world.github.hooks).toHaveLength(1);
}

describe('docs/uninstall.md', () => {
  it('sources first: nothing is left', async () => {
    await page.run('kubectl delete githubsources --all');
    expect(world.github.hooks).toEqual([]);
    await page.run('kubectl delete -k config/default');
    await goes();
  });

  it('the controller went first, and is brought back: nothing is left', async () => {
    await deleteWhileSourcesAreThere();
    await page.run('kubectl apply -k config/default');
    await page.run('kubectl delete githubsources --all');
    expect(world.github.hooks).toEqual([]);
    await page.run('kubectl delete -k config/default --ignore-not-found');
    await goes();
  });

  it('the controller went first, and sources are let go by hand: the webhooks are listed', async () => {
    await deleteWhileSourcesAreThere();
    const listed = await page.run("kubectl get githubsources -A -o jsonpath='{range .items[*].status.hooks");
    expect(listed).toBe(`${world.api} octo/hello webhook ${world.github.hooks[0]?.id}\n`);
    await page.run("kubectl get githubsources -A -o jsonpath='{range .items[*]}");
    await page.run('kubectl delete -k config/default --ignore-not-found');
    await goes();
    expect(world.github.hooks).toHaveLength(1);
  });
});
