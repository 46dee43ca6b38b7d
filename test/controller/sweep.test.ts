import { describe, expect, it } from 'vitest';
import type { Lookup, PublishedRoute } from '../../controller/cluster.ts';
import { sweepRoutes } from '../../controller/sweep.ts';

const KIND = { apiVersion: 'sources.knative.dev/v1alpha1', kind: 'GitHubSource' };
const route = (uid: string, kind = 'GitHubSource'): PublishedRoute => ({ uid, kind, namespace: 'demo', name: uid });
const object = (uid: string): Lookup => ({
  found: 'object',
  object: { ...KIND, metadata: { name: 'x', namespace: 'demo', uid, generation: 1, creationTimestamp: '' } },
});

describe('sweepRoutes', () => {
  const rows: { name: string; lookup: Lookup; kind?: string; goes: boolean }[] = [
    { name: 'its source is there', lookup: object('a'), goes: false },
    { name: 'its source is gone', lookup: { found: 'no-object' }, goes: true },
    { name: 'another source has its name', lookup: object('b'), goes: true },
    { name: 'the kind is away', lookup: { found: 'no-kind' }, goes: false },
    { name: 'the kind may not be read', lookup: { found: 'forbidden', rule: 'x' }, goes: false },
    { name: 'the kind is not ours', lookup: { found: 'no-object' }, kind: 'OtherSource', goes: false },
  ];
  for (const { name, lookup, kind, goes } of rows) {
    it(`${goes ? 'removes' : 'keeps'} a route when ${name}`, async () => {
      const removed: string[] = [];
      const cluster = {
        publishedRoutes: async () => [route('a', kind)],
        get: async () => lookup,
        removeRoute: async (uid: string) => void removed.push(uid),
      };
      const swept = await sweepRoutes({ cluster, kinds: [KIND] });
      expect(removed).toEqual(goes ? ['a'] : []);
      expect(swept.map(({ uid }) => uid)).toEqual(removed);
    });
  }

  it('removes nothing when the cluster cannot be asked', async () => {
    const cluster = {
      publishedRoutes: async () => [route('a')],
      get: async () => Promise.reject(new Error('etcd is away')),
      removeRoute: async () => Promise.reject(new Error('removed')),
    };
    await expect(sweepRoutes({ cluster, kinds: [KIND] })).rejects.toThrow('etcd is away');
  });
});
