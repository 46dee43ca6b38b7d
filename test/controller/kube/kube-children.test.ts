import { describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../../controller/kube/api-client.ts';
import { KubeChildren } from '../../../controller/kube/kube-children.ts';
import { refusalOf } from '../../../controller/kube/refusal.ts';
import type { SourceObject } from '../../../controller/objects.ts';

const source = { metadata: { namespace: 'demo', name: 'hello', uid: 'u-1' } } as SourceObject;
const child = { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'demo', name: 'x' } };

/** Over an API server that refuses every write so. */
function refusing(code: number, reason: string): KubeChildren {
  const call = async () => {
    throw refusalOf('PATCH /x', code, reason);
  };
  const resource = { plural: 'secrets', namespaced: true, collection: () => '/secrets' };
  return new KubeChildren({ call }, { find: async () => resource });
}

describe('a child that cannot be written', () => {
  const cases = [
    {
      name: 'for want of a right',
      code: 403,
      reason:
        'secrets "x" is forbidden: User "system:serviceaccount:headwater:headwater-controller" cannot patch resource "secrets" in API group "" in the namespace "demo"',
      kind: 'forbidden',
    },
    {
      name: 'for want of the right to finalizers of its owner',
      code: 403,
      reason:
        'secrets "x" is forbidden: cannot set blockOwnerDeletion if an ownerReference refers to a resource you can\'t set finalizers on: , <nil>',
      kind: 'forbidden',
    },
    {
      name: 'by a quota',
      code: 403,
      reason:
        'secrets "x" is forbidden: exceeded quota: few, requested: secrets=1, used: secrets=3, limited: secrets=3',
      kind: 'refused',
    },
    {
      name: 'by a policy',
      code: 403,
      reason: "secrets \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
      kind: 'refused',
    },
    {
      name: 'in a namespace that goes',
      code: 403,
      reason: 'secrets "x" is forbidden: unable to create new content in namespace demo because it is being terminated',
      kind: 'refused',
    },
    {
      name: 'by an admission webhook',
      code: 403,
      reason:
        'admission webhook "validation.webhook.serving.knative.dev" denied the request: it cannot use resource "x"',
      kind: 'refused',
    },
    { name: 'as it is invalid', code: 422, reason: 'Secret "x" is invalid: data: Invalid value', kind: 'refused' },
  ];
  for (const { name, code, reason, kind } of cases) {
    it(`${name}: ${kind}, in the words of the API server`, async () => {
      const why = expect.stringContaining(reason) as string;
      expect(await refusing(code, reason).apply(child)).toEqual({ kind, why });
      expect(await refusing(code, reason).remove({ ...child, ...child.metadata, uid: 'u' })).toEqual({ kind, why });
    });
  }

  it('is tried again where the API server fails', async () => {
    await expect(refusing(500, 'etcd is away').apply(child)).rejects.toThrow('etcd is away');
  });
});

describe("the replicas of a source's own adapter", () => {
  it('are asked where they run, not where Serving leads while nothing does', async () => {
    const slice = (address: string, labels: object) => ({
      metadata: { labels: { 'headwater.dev/source-uid': 'u-1', ...labels } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
    });
    const type = 'networking.internal.knative.dev/serviceType';
    const slices = [
      slice('127.0.0.2', { [type]: 'Private' }),
      slice('127.0.0.3', { [type]: 'Public' }),
      slice('127.0.0.4', { 'headwater.dev/source-uid': 'u-2' }),
    ];
    const call = async (_method: string, _path: string, request?: ApiRequest) =>
      ({ items: slices.filter(chosenBy(request)) }) as never;
    const children = new KubeChildren({ call }, { find: async () => undefined });
    expect(await children.statesOf(source)).toHaveLength(1);
  });
});

/** As the API server reads a labelSelector of `=` and `!=`. */
function chosenBy({ query }: ApiRequest = {}) {
  const terms = String(query?.['labelSelector'] ?? '').split(',');
  return ({ metadata: { labels } }: { metadata: { labels: Readonly<Record<string, string>> } }) =>
    terms.every((term) => {
      const [name = '', value] = term.split(/!?=/);
      return (labels[name] === value) !== term.includes('!=');
    });
}
