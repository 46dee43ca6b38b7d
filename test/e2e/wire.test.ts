import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headwater } from '../support/headwater.ts';
import { sharedCluster } from './support/cluster.ts';

/** Plans of the test's sets at a real API server, with Knative's kinds and without its controllers. */
const cluster = sharedCluster();
const run = promisify(execFile);
const own = Math.random().toString(36).slice(2, 8);
const [demo, library, eventing] = [`demo-${own}`, `library-${own}`, `eventing-${own}`];

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await run(cluster.kubectl, [`--kubeconfig=${cluster.kubeconfig}`, ...args]);
  return stdout.trim();
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-e2e-wire-'));
  await cp(join(import.meta.dirname, '../wire/sets'), folder, { recursive: true });
  // Names of this run, since others may use the cluster.
  await edit('shop/wire.yaml', (text) =>
    text.replace('name: shop', `name: shop-${own}`).replace('namespace: demo', `namespace: ${demo}`),
  );
  await edit('mixed/wire.yaml', (text) =>
    text
      .replace('name: mixed', `name: mixed-${own}`)
      .replace('namespace: library', `namespace: ${library}`)
      .replace('namespace: eventing', `namespace: ${eventing}`),
  );
});
afterAll(async () => {
  await kubectl('delete', 'namespace', demo, library, eventing, '--ignore-not-found', '--wait=false');
  await rm(folder, { recursive: true, force: true });
});

async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(join(folder, file), change(await readFile(join(folder, file), 'utf8')));
}

const wire = (command: string, set: string, ...args: string[]) =>
  headwater(
    'wire',
    command,
    '-f',
    join(folder, set),
    ...(args.includes('--kubeconfig') ? [] : ['--kubeconfig', cluster.kubeconfig]),
    ...args,
  );
const lines = (text: string) => text.trimEnd().split('\n').filter(Boolean);

interface Listed {
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string; readonly resourceVersion: string };
}

/** What has the label of a set, in all namespaces. */
async function held(set: string): Promise<Map<string, string>> {
  const kinds =
    'brokers.eventing.knative.dev,triggers.eventing.knative.dev,sinkbindings.sources.knative.dev,services.serving.knative.dev,githubsources.sources.knative.dev';
  const { items } = JSON.parse(
    await kubectl('get', kinds, '-A', '-l', `wire.headwater.dev/set=${set}`, '-o', 'json'),
  ) as { items: Listed[] };
  return new Map(
    items.map(({ kind, metadata: { namespace, name, resourceVersion } }) => [
      `${kind} ${namespace}/${name}`,
      resourceVersion,
    ]),
  );
}

describe('headwater wire at a real API server', () => {
  it('writes nothing before namespaces and Broker are there', async () => {
    expect(await wire('apply', 'mixed')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(`there is no namespace ${eventing}: create it first`),
    });
    for (const name of [demo, library, eventing]) await kubectl('create', 'namespace', name);
    expect(await wire('apply', 'mixed')).toEqual({
      code: 1,
      stdout: '',
      stderr: `headwater wire apply: Broker ${eventing}/events not found: create it, or say broker.create in the wiring file\n`,
    });
    expect(await held(`mixed-${own}`)).toEqual(new Map());
  });

  it('makes what is planned, and the second time changes nothing', async () => {
    const broker = {
      apiVersion: 'eventing.knative.dev/v1',
      kind: 'Broker',
      metadata: { name: 'events', namespace: eventing },
    };
    await writeFile(join(folder, 'broker.json'), JSON.stringify(broker));
    await kubectl('apply', '-f', join(folder, 'broker.json'));
    for (const [set, count] of [
      ['shop', 12],
      ['mixed', 7],
    ] as const) {
      const first = await wire('apply', set);
      expect({ ...first, stdout: lines(first.stdout).filter((line) => !line.endsWith(' created')) }).toEqual({
        code: 0,
        stdout: [],
        stderr: '',
      });
      expect(lines(first.stdout)).toHaveLength(count);
      const before = await held(`${set}-${own}`);
      expect(before.size).toBe(count);
      expect(await wire('diff', set)).toEqual({ code: 0, stdout: '', stderr: '' });
      const second = await wire('apply', set);
      expect(lines(second.stdout)).toEqual(lines(first.stdout).map((line) => line.replace(/created$/, 'unchanged')));
      expect(await held(`${set}-${own}`)).toEqual(before);
    }
  });

  it('checks with the EventTypes of the cluster', async () => {
    const produced = async () => {
      const { stdout } = await wire('check', 'mixed');
      expect(stdout).toContain('nobody here produces events.vet.asked');
      return !stdout.includes('nobody here produces com.library.returned');
    };
    expect(await produced()).toBe(false);
    const attributes = [
      { name: 'type', required: true, value: 'com.library.returned' },
      { name: 'source', required: false },
    ];
    const metadata = { name: 'returned', namespace: library };
    const object = { apiVersion: 'eventing.knative.dev/v1beta3', kind: 'EventType', metadata, spec: { attributes } };
    await writeFile(join(folder, 'eventtype.json'), JSON.stringify(object));
    await kubectl('apply', '-f', join(folder, 'eventtype.json'));
    expect(await produced()).toBe(true);
  });

  it('explains with the Triggers of the cluster', async () => {
    const event = join(folder, 'event.txt');
    const attributes = { specversion: '1.0', id: '1', source: 'https://github.com/acme/shop', action: 'opened' };
    await writeFile(event, JSON.stringify({ ...attributes, type: 'dev.knative.source.github.pull_request' }));
    const { code, stdout } = await headwater('wire', 'explain', event, '--kubeconfig', cluster.kubeconfig);
    expect(code).toBe(0);
    expect(lines(stdout).filter((line) => line.includes(`${demo}/`))).toEqual([
      `Trigger ${demo}/review-pull-requests-github-pull-request of Broker default: matches; it goes to Knative Service reviewer`,
      ...Array.from({ length: 7 }, () => expect.stringMatching(/: does not match$/)),
    ]);
  });

  it('shows what somebody else has changed, and takes it back only when told to', async () => {
    const name = 'triage-github-issues';
    await kubectl('patch', 'trigger', name, '-n', demo, '--type=merge', '-p', '{"spec":{"broker":"elsewhere"}}');
    const shown = await wire('diff', 'shop', '--force-conflicts');
    expect({ code: shown.code, lines: lines(shown.stdout).filter((line) => /^[-+] /.test(line)) }).toEqual({
      code: 1,
      lines: ['-  broker: elsewhere', '+  broker: default'],
    });
    const refused = await wire('apply', 'shop');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      new RegExp(
        `^headwater wire apply: Trigger ${demo}/${name}: .*409 .*conflict with "kubectl-patch".*\\.spec\\.broker`,
      ),
    );
    expect(await wire('diff', 'shop')).toMatchObject({ code: 2, stdout: '' });
    const forced = await wire('apply', 'shop', '--force-conflicts');
    expect(lines(forced.stdout).filter((line) => !line.endsWith(' unchanged'))).toEqual([
      `Trigger ${demo}/${name} changed`,
    ]);
  });

  it('prunes what is of the set and no longer planned, in whatever namespace, and nothing else', async () => {
    const others = await held(`shop-${own}`);
    await edit('mixed/wire.yaml', (text) =>
      text.replace(/^ {2}- \{ file: pushes.*\n/gm, '').replace(/^sources:\n.*\n/m, ''),
    );
    for (const file of ['pushes.yaml', 'pushes-too.yaml']) await rm(join(folder, 'mixed', file));
    const applied = await wire('apply', 'mixed');
    expect(lines(applied.stdout).at(-1)).toBe(
      '2 objects are left over: headwater wire prune removes what is not planned',
    );
    const gone = [`GitHubSource ${library}/books`, `Trigger ${eventing}/pushes-github-push`];
    const dry = await wire('prune', 'mixed', '--dry-run');
    expect(lines(dry.stdout)).toEqual(gone.map((line) => `${line} would be removed`));
    expect((await wire('diff', 'mixed')).stdout).toContain(`--- ${gone[1]}\n+++ /dev/null\n`);
    const pruned = await wire('prune', 'mixed');
    expect({ ...pruned, stdout: lines(pruned.stdout) }).toEqual({
      code: 0,
      stdout: gone.map((line) => `${line} removed`),
      stderr: '',
    });
    expect([...(await held(`mixed-${own}`)).keys()].toSorted()).toEqual([
      `SinkBinding ${library}/book-lending`,
      `SinkBinding ${library}/vet`,
      `Trigger ${eventing}/book-lending-library-returned`,
      `Trigger ${eventing}/vet-appointments-vet-answered`,
      `Trigger ${eventing}/vet-appointments-vet-asked`,
    ]);
    expect(await held(`shop-${own}`)).toEqual(others);
    expect(await wire('prune', 'mixed')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('says which right is missing, and writes nothing', async () => {
    await kubectl('create', 'serviceaccount', 'wirer', '-n', demo);
    await kubectl(
      'create',
      'role',
      'wirer',
      '-n',
      demo,
      '--verb=get,create,patch',
      '--resource=brokers.eventing.knative.dev,services.serving.knative.dev,githubsources.sources.knative.dev',
    );
    await kubectl('create', 'rolebinding', 'wirer', '-n', demo, '--role=wirer', `--serviceaccount=${demo}:wirer`);
    const kubeconfig = join(folder, 'wirer.json');
    const token = await kubectl('create', 'token', 'wirer', '-n', demo);
    await writeFile(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'none',
        contexts: [{ name: 'wirer', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: cluster.apiUrl, 'certificate-authority': cluster.caFile } }],
        users: [{ name: 'u', user: { token } }],
      }),
    );
    const as = ['--kubeconfig', kubeconfig, '--context', 'wirer'];
    const before = await held(`shop-${own}`);
    const refused = await wire('apply', 'shop', ...as);
    expect({ ...refused, stderr: lines(refused.stderr) }).toEqual({
      code: 1,
      stdout: '',
      stderr: ['get', 'create', 'patch'].map(
        (verb) => `headwater wire apply: you may not ${verb} objects of kind Trigger in namespace ${demo}`,
      ),
    });
    const kept = await wire('prune', 'shop', ...as);
    expect(kept).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('in all namespaces, so what is left over cannot be known'),
    });
    expect(await held(`shop-${own}`)).toEqual(before);
  });

  it('removes a whole set of which only the name is left', async () => {
    await writeFile(join(folder, 'shop/wire.yaml'), `name: shop-${own}\n`);
    for (const file of ['review.yaml', 'triage.yaml']) await rm(join(folder, 'shop', file));
    const { code, stdout } = await wire('prune', 'shop');
    expect({ code, first: lines(stdout)[0], last: lines(stdout).at(-1), count: lines(stdout).length }).toEqual({
      code: 0,
      first: `GitHubSource ${demo}/acme-shop removed`,
      last: `Broker ${demo}/default removed`,
      count: 12,
    });
    expect(await held(`shop-${own}`)).toEqual(new Map());
  });
});
