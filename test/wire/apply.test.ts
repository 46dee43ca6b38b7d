import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Applied, applySets, compareSets } from '../../wire/apply.ts';
import { called } from '../../wire/cluster.ts';
import { diffText, removalText } from '../../wire/diff-text.ts';
import { type PlannedSet, planOf } from '../../wire/plan.ts';
import { countLeftovers, leftoversOf, removeAll } from '../../wire/prune.ts';
import { readWiring } from '../../wire/read-wiring.ts';
import { FakeWireCluster } from '../support/fake-wire-cluster.ts';

async function planned(name: string): Promise<readonly PlannedSet[]> {
  const { wiring } = await readWiring([join(import.meta.dirname, 'sets', name)]);
  return planOf(wiring).sets;
}

let cluster: FakeWireCluster;
beforeEach(() => void (cluster = new FakeWireCluster()));

const broker = (name: string, namespace: string, url?: string) => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Broker',
  metadata: { name, namespace },
  ...(url !== undefined && { status: { address: { url } } }),
});
const trigger = (name: string, namespace: string, set?: string) => ({
  apiVersion: 'eventing.knative.dev/v1',
  kind: 'Trigger',
  metadata: { name, namespace, ...(set !== undefined && { labels: { 'wire.headwater.dev/set': set } }) },
  spec: { broker: 'default' },
});

async function applied(sets: readonly PlannedSet[]): Promise<string[]> {
  const told: Applied[] = [];
  await applySets(sets, cluster, { force: false, onApplied: (one) => void told.push(one) });
  return told.map(({ object, outcome }) => `${called(object)} ${outcome}`);
}

describe('applying a set', () => {
  it('makes its objects, those that take events before those that send them; again, it changes nothing', async () => {
    const sets = await planned('shop');
    const first = await applied(sets);
    expect(first).toHaveLength(12);
    expect([first[0], first[1], first[2], first.at(-1)]).toEqual([
      'Broker demo/default created',
      'Service demo/reviewer created',
      'Trigger demo/review-pull-requests-github-pull-request created',
      'GitHubSource demo/acme-web created',
    ]);
    expect(await applied(sets)).toEqual(first.map((line) => line.replace('created', 'unchanged')));
  });

  it('changes what is of the set and is otherwise', async () => {
    const sets = await planned('shop');
    await applied(sets);
    cluster.put(trigger('triage-github-push', 'demo', 'shop'));
    expect((await applied(sets)).filter((line) => !line.endsWith('unchanged'))).toEqual([
      'Trigger demo/triage-github-push changed',
    ]);
  });

  it.each<[string, string, () => void, string[]]>([
    [
      'a kind is missing',
      'mixed',
      () => void cluster.missingKinds.add('SinkBinding (sources.knative.dev/v1)'),
      ['the cluster has no kind SinkBinding (sources.knative.dev/v1): install what defines it'],
    ],
    [
      'the Broker is missing',
      'mixed',
      () => cluster.objects.clear(),
      ['Broker eventing/events not found: create it, or say broker.create in the wiring file'],
    ],
    [
      'a namespace is missing',
      'mixed',
      () => void cluster.namespaces.delete('library'),
      ['there is no namespace library: create it first'],
    ],
    [
      'a right is missing',
      'mixed',
      () => void cluster.forbidden.add('patch Trigger eventing'),
      ['you may not patch objects of kind Trigger in namespace eventing'],
    ],
    [
      'an object is nobody’s',
      'mixed',
      () => cluster.put(trigger('pushes-github-push', 'eventing')),
      [
        'Trigger eventing/pushes-github-push is there and is not of a set: delete it, or hand it over: label wire.headwater.dev/set=mixed',
      ],
    ],
    [
      'an object is of another set',
      'mixed',
      () => cluster.put(trigger('pushes-github-push', 'eventing', 'other')),
      [
        'Trigger eventing/pushes-github-push is there and is of the set other: delete it, or hand it over: label wire.headwater.dev/set=mixed',
      ],
    ],
    [
      'the API server refuses an object',
      'mixed',
      () => void cluster.refused.set('books', 'spec.x: unknown field'),
      ['GitHubSource library/books: spec.x: unknown field'],
    ],
    [
      'the Broker takes events elsewhere',
      'shop',
      () =>
        cluster.put({
          ...broker('default', 'demo', 'https://elsewhere/'),
          metadata: { name: 'default', namespace: 'demo', labels: { 'wire.headwater.dev/set': 'shop' } },
        }),
      [
        'Broker demo/default takes events at https://elsewhere/, not http://kafka-broker-ingress.knative-eventing.svc.cluster.local/demo/default: say so in broker.url of the wiring file',
      ],
    ],
  ])('writes nothing when %s', async (_what, name, given, problems) => {
    cluster.put(broker('events', 'eventing', 'http://events/'));
    given();
    await expect(applied(await planned(name))).rejects.toMatchObject({ name: 'RefusedPlan', problems });
    expect(cluster.writes).toEqual([]);
  });
});

describe('the difference', () => {
  it('is what would be made, changed and removed, without what the API server writes itself', async () => {
    const sets = await planned('apart');
    cluster.put(broker('default', 'default'));
    cluster.put(trigger('left-over', 'demo', 'workflows'));
    cluster.put({ ...trigger('issues-github-issues', 'default', 'workflows'), status: { ready: true } });
    const compared = await compareSets(sets, cluster, { force: false });
    const leftovers = await leftoversOf(sets, cluster);
    const text = [...compared.map(diffText), ...leftovers.map(removalText)].join('');
    expect(text).toContain('--- /dev/null\n+++ GitHubSource default/acme-shop\n@@ -0,0 +1,');
    expect(text).toContain('--- Trigger default/issues-github-issues\n+++ Trigger default/issues-github-issues\n');
    expect(text).toContain(
      '\n+  filters:\n+    - exact:\n+        type: dev.knative.source.github.issues\n+        action: opened\n',
    );
    expect(text).toContain('--- Trigger demo/left-over\n+++ /dev/null\n');
    expect(text).not.toMatch(/resourceVersion|uid|status/);
    expect(cluster.writes).toEqual([]);
    await applied(sets);
    expect((await compareSets(sets, cluster, { force: false })).map(diffText).join('')).toBe('');
  });
});

describe('pruning a set', () => {
  const removed: string[] = [];
  const prune = async (sets: readonly PlannedSet[]) => {
    removed.length = 0;
    await removeAll(
      await leftoversOf(sets, cluster),
      cluster,
      ({ kind, metadata: { namespace, name } }) => void removed.push(`${kind} ${namespace}/${name}`),
    );
    return removed;
  };

  it('removes what has its label and is not planned, of all namespaces, and nothing else', async () => {
    const sets = await planned('shop');
    await applied(sets);
    cluster.put(trigger('old', 'library', 'shop'));
    cluster.put(trigger('others', 'demo', 'other'));
    cluster.put(trigger('nobodys', 'demo'));
    expect(await countLeftovers(sets, cluster)).toBe(1);
    expect(await prune(sets)).toEqual(['Trigger library/old']);
    expect(await prune(sets)).toEqual([]);
    const count = sets.flatMap(({ objects }) => objects).length;
    expect(cluster.objects.size).toBe(count + 2);
  });

  it('removes all of a set of which only the name is left, sources first and the Broker last', async () => {
    const sets = await planned('shop');
    await applied(sets);
    const order = await prune(sets.map((set) => ({ ...set, objects: [] })));
    expect([order[0], order.at(-1), order.length]).toEqual(['GitHubSource demo/acme-shop', 'Broker demo/default', 12]);
    expect(cluster.objects.size).toBe(0);
  });

  it.each<[string, string[]]>([
    [
      'list Trigger *',
      [
        'you may not list objects of kind Trigger (eventing.knative.dev/v1) in all namespaces, so what is left over cannot be known',
      ],
    ],
    ['delete Trigger library', ['you may not delete objects of kind Trigger in namespace library']],
  ])('removes nothing without the right to %s', async (right, problems) => {
    const sets = await planned('shop');
    cluster.put(trigger('old', 'library', 'shop'));
    cluster.put({ ...trigger('old', 'demo', 'shop'), kind: 'Broker' });
    cluster.forbidden.add(right);
    await expect(prune(sets)).rejects.toMatchObject({ name: 'RefusedPlan', problems });
    expect(cluster.writes).toEqual([]);
  });
});
