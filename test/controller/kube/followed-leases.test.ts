import pino from 'pino';
import { expect, it, vi } from 'vitest';
import type { ApiClient } from '../../../controller/kube/api-client.ts';
import { FollowedLeases } from '../../../controller/kube/followed-leases.ts';
import type { SeenLease } from '../../../controller/upstream-leases.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';

it('each look that is answered is told, also that nothing may be seen; one that fails is not', async () => {
  const spec = { holderIdentity: 'pod', leaseDurationSeconds: 5, renewTime: '1' };
  const answers: unknown[] = [
    { items: [{ metadata: { name: 'a', uid: 'u' }, spec }] },
    new ApiStatusError('GET', 500, 'trouble'),
    { items: [{ metadata: { name: 'a', uid: 'u' }, spec: { ...spec, renewTime: '2' } }] },
    {
      items: [
        { metadata: { name: 'a', uid: 'u' }, spec: { ...spec, holderIdentity: '' } },
        { metadata: { name: 'b' } },
      ],
    },
    { items: null },
    new ApiStatusError('GET', 403, 'no right'),
  ];
  const paths = new Set<string>();
  const call = async (_method: string, path: string) => {
    paths.add(path);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const looks: (readonly SeenLease[])[] = [];
  const followed = new FollowedLeases({
    api: { call } as Pick<ApiClient, 'call'>,
    namespace: 'knative-sources',
    everyMs: 1,
    onLook: (leases) => void looks.push(leases),
    log: pino({ level: 'silent' }),
  });
  followed.start();
  await vi.waitFor(() => expect(looks.length).toBeGreaterThan(5));
  await followed.stop();
  expect(paths).toEqual(new Set(['/apis/coordination.k8s.io/v1/namespaces/knative-sources/leases']));
  expect(looks[0]).toMatchObject([{ name: 'a', holder: 'pod', durationMs: 5000 }]);
  expect(looks[1]?.[0]?.renewal).not.toBe(looks[0]?.[0]?.renewal);
  expect(looks[2]).toMatchObject([
    { name: 'a', holder: undefined },
    { name: 'b', holder: undefined, durationMs: 15_000 },
  ]);
  expect(looks.slice(3, 6)).toEqual([[], [], []]);
});
