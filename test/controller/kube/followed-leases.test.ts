import pino from 'pino';
import { expect, it, vi } from 'vitest';
import type { ApiClient } from '../../../controller/kube/api-client.ts';
import { FollowedLeases } from '../../../controller/kube/followed-leases.ts';
import type { SeenLease } from '../../../controller/upstream-leases.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';

const lease = (spec: object) => ({ metadata: { name: 'a', uid: 'u' }, spec: { holderIdentity: 'pod', ...spec } });
const refused = (code: number) => new ApiStatusError('GET', code, 'no');

/** What was told of these answers, the last one given for ever. */
async function looksAt(answers: readonly unknown[]): Promise<(readonly SeenLease[])[]> {
  const left = [...answers];
  const paths = new Set<string>();
  let asked = 0;
  const call = async (_method: string, path: string) => {
    paths.add(path);
    asked += 1;
    const answer = left.length > 1 ? left.shift() : left[0];
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
  await vi.waitFor(() => expect(asked).toBeGreaterThan(answers.length));
  await followed.stop();
  expect(paths).toEqual(new Set(['/apis/coordination.k8s.io/v1/namespaces/knative-sources/leases']));
  return looks;
}

it('each look that is answered is told; one that fails is not', async () => {
  const looks = await looksAt([
    { items: [lease({ leaseDurationSeconds: 5, renewTime: '1' })] },
    refused(500),
    { items: [lease({ renewTime: '2' })] },
    { items: [lease({ holderIdentity: '', leaseDurationSeconds: 1 }), { metadata: { name: 'b' } }] },
    { items: null },
  ]);
  expect(looks.slice(0, 4)).toEqual([
    [{ name: 'a', holder: 'pod', durationMs: 5000, renewal: expect.stringContaining('1') as string }],
    [{ name: 'a', holder: 'pod', durationMs: 15_000, renewal: expect.stringContaining('2') as string }],
    [
      { name: 'a', holder: undefined },
      { name: 'b', holder: undefined },
    ],
    [],
  ]);
});

it('without the right from the start there are none', async () => {
  expect((await looksAt([refused(500), refused(403)]))[0]).toEqual([]);
});

it('a right that is away once they were seen tells nothing', async () => {
  expect(await looksAt([refused(403), { items: [lease({})] }, refused(403)])).toMatchObject([[], [{ name: 'a' }]]);
});
