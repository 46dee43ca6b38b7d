import { afterEach, describe, expect, it, vi } from 'vitest';
import { AdmissionError } from '../../../controller/admission-error.ts';
import type { ApiClient, ApiRequest } from '../../../controller/kube/api-client.ts';
import { KnativeServices } from '../../../controller/kube/knative-services.ts';
import type { SourceObject } from '../../../controller/objects.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';

const source = { metadata: { uid: 'u1', namespace: 'demo', name: 'hello' } } as SourceObject;
const inNamespace = (namespace: string): SourceObject => ({
  ...source,
  metadata: { ...source.metadata, namespace },
});
const aService = (name: string, rest: object = {}, status: object = {}) => ({
  metadata: {
    name,
    namespace: 'demo',
    uid: `uid of ${name}`,
    ownerReferences: [{ uid: 'u1', controller: true }],
    ...rest,
  },
  status,
});
const HELLO = { namespace: 'demo', name: 'hello-x7k2p', uid: 's1', host: undefined };

/** Over an API server that answers each request like this; `null`: the cluster has no Knative Serving. */
function over(answer: ((method: string, path: string, request: ApiRequest) => unknown) | null) {
  const calls: string[] = [];
  const call = async (method: string, path: string, request: ApiRequest = {}) => {
    const { labelSelector, continue: from } = request.query ?? {};
    calls.push([method, path, labelSelector, from].filter((part) => part !== undefined).join(' '));
    const found = answer?.(method, path, request);
    if (found instanceof Error) throw found;
    return found;
  };
  const collection = (namespace?: string) => (namespace === undefined ? '/services' : `/${namespace}/services`);
  const resource = answer === null ? undefined : { plural: 'services', namespaced: true, collection };
  const api = { call } as Pick<ApiClient, 'call'>;
  return { store: new KnativeServices(api, { find: async () => resource }), calls };
}

afterEach(() => void vi.useRealTimers());

describe('the Knative Services of a source', () => {
  it('are those it controls, with the host of their URL; listed once for all of its namespace who ask now', async () => {
    const { store, calls } = over(() => ({
      items: [
        aService('a', {}, { url: 'http://a.demo.example.com', address: { url: 'http://a.demo.svc' } }),
        aService('b', {}, { address: { url: 'http://b.demo.svc:8080' } }),
        aService('c'),
        aService('going', { deletionTimestamp: '2026-01-01T00:00:00Z' }),
        aService('of-another', { ownerReferences: [{ uid: 'u2', controller: true }] }),
        aService('owned-only', { ownerReferences: [{ uid: 'u1' }] }),
        aService('of-nobody', { ownerReferences: undefined }),
      ],
    }));
    const found = await store.controlledBy(source, 'receive-adapter=x');
    expect(found?.map(({ name, host }) => [name, host])).toEqual([
      ['a', 'a.demo.example.com'],
      ['b', 'b.demo.svc:8080'],
      ['c', undefined],
    ]);
    await store.controlledBy(source, 'receive-adapter=x');
    await store.controlledBy(inNamespace('other'), 'receive-adapter=x');
    expect(calls).toEqual(['GET /demo/services receive-adapter=x', 'GET /other/services receive-adapter=x']);
  });

  it('come in pages', async () => {
    const { store, calls } = over((_method, _path, { query }) =>
      query?.['continue'] === 'p2'
        ? { metadata: {}, items: [aService('b')] }
        : { metadata: { continue: 'p2' }, items: query?.['limit'] === 500 ? [aService('a')] : [] },
    );
    expect(await store.controlledBy(source, 'x=y')).toMatchObject([{ name: 'a' }, { name: 'b' }]);
    expect(calls).toEqual(['GET /demo/services x=y', 'GET /demo/services x=y p2']);
  });

  it('are listed anew after a while', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    const { store, calls } = over(() => ({ items: [] }));
    await store.controlledBy(source, 'x=y');
    vi.advanceTimersByTime(4999);
    await store.controlledBy(source, 'x=y');
    expect(calls).toHaveLength(1);
    vi.advanceTimersByTime(1);
    await store.controlledBy(source, 'x=y');
    expect(calls).toHaveLength(2);
  });

  it.each([
    ['without Knative Serving', null],
    ['when Serving goes just now', () => new ApiStatusError('GET', 404, 'not found')],
  ])('are none %s', async (_name, answer) => {
    expect(await over(answer).store.controlledBy(source, 'x=y')).toEqual([]);
  });

  it('are not known without the right to list them', async () => {
    const { store } = over(() => new ApiStatusError('GET', 403, 'forbidden'));
    expect(await store.controlledBy(source, 'x=y')).toBeUndefined();
  });

  it('are not known while the API server has trouble, and asked for again', async () => {
    let answer: unknown = new ApiStatusError('GET', 500, 'trouble');
    const { store } = over(() => answer);
    await expect(store.controlledBy(source, 'x=y')).rejects.toThrow('trouble');
    answer = { items: [aService('a')] };
    expect(await store.controlledBy(source, 'x=y')).toHaveLength(1);
  });
});

describe('removing one', () => {
  it('removes that very one, and those that are left need not be listed anew', async () => {
    const bodies: unknown[] = [];
    const { store, calls } = over((method, _path, { body }) => {
      if (method === 'DELETE') bodies.push(body);
      return { items: [aService('hello-x7k2p', { uid: 's1' }), aService('left')] };
    });
    expect(await store.controlledBy(source, 'x=y')).toHaveLength(2);
    expect(await store.remove(HELLO)).toEqual({ kind: 'removed' });
    expect(await store.controlledBy(source, 'x=y')).toMatchObject([{ name: 'left' }]);
    expect(calls).toEqual(['GET /demo/services x=y', 'DELETE /demo/services/hello-x7k2p']);
    expect(bodies).toMatchObject([{ preconditions: { uid: 's1' } }]);
  });

  it('costs one list for all sources of a namespace', async () => {
    const uids = Array.from({ length: 300 }, (_, index) => `u${index}`);
    const items = uids.map((uid) => aService(`of-${uid}`, { ownerReferences: [{ uid, controller: true }] }));
    const { store, calls } = over(() => ({ items }));
    for (const uid of uids) {
      const [old] = (await store.controlledBy({ ...source, metadata: { ...source.metadata, uid } }, 'x=y')) ?? [];
      expect(old?.name).toBe(`of-${uid}`);
      await store.remove(old ?? HELLO);
    }
    expect(calls.filter((call) => call.startsWith('GET'))).toHaveLength(1);
    expect(calls).toHaveLength(301);
  });

  it.each([
    [new ApiStatusError('DELETE', 404, 'gone'), { kind: 'removed' }],
    [new ApiStatusError('DELETE', 409, 'another uid'), { kind: 'removed' }],
    [new ApiStatusError('DELETE', 403, 'no right'), { kind: 'forbidden' }],
    [new AdmissionError('DELETE', 403, 'policy', 'x'), { kind: 'refused', why: 'DELETE: 403 policy' }],
    [new ApiStatusError('DELETE', 500, 'trouble'), { kind: 'refused', why: 'DELETE: 500 trouble' }],
  ])('%s', async (answer, removal) => expect(await over(() => answer).store.remove(HELLO)).toEqual(removal));

  it('rejects when the API server is not reached', async () => {
    await expect(over(() => new Error('connection refused')).store.remove(HELLO)).rejects.toThrow('refused');
  });
});
