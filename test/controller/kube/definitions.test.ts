import { afterEach, expect, it, vi } from 'vitest';
import { Definitions } from '../../../controller/kube/definitions.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';
import type { Log } from '../../../core/log.ts';

const named = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion } });
const warnings: object[] = [];
const log = { warn: (fields: object) => void warnings.push(fields) } as unknown as Log;

let definitions: Definitions | undefined;
afterEach(() => definitions?.stop());

function follow(chunks: () => AsyncIterable<Uint8Array>, events: readonly object[] = []) {
  const groups: string[] = [];
  const asked: (string | undefined)[] = [];
  const api = {
    chunks: (_path: string, { accept }: { accept?: string }) => {
      asked.push(accept);
      return chunks();
    },
    async *lines(_path: string, { signal }: { signal: AbortSignal }) {
      for (const event of events) yield JSON.stringify(event);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  } as unknown as ConstructorParameters<typeof Definitions>[0]['api'];
  const timings = { firstRetryMs: 1, longestRetryMs: 1 };
  definitions = new Definitions({ api, onChange: (group) => void groups.push(group), log, timings });
  definitions.start();
  return { groups, asked };
}

it('tells the groups of definitions that are there, come, change and go, by their metadata alone', async () => {
  const list = { metadata: { resourceVersion: '1' }, items: [named('brokers.eventing.knative.dev', '1')] };
  const { groups, asked } = follow(
    async function* () {
      yield new TextEncoder().encode(JSON.stringify(list));
    },
    [
      { type: 'ADDED', object: named('things.example.com', '2') },
      { type: 'MODIFIED', object: named('things.example.com', '3') },
      { type: 'DELETED', object: named('brokers.eventing.knative.dev', '4') },
    ],
  );
  await vi.waitFor(() =>
    expect(groups).toEqual(['eventing.knative.dev', 'example.com', 'example.com', 'eventing.knative.dev']),
  );
  expect(asked[0]).toContain('as=PartialObjectMetadataList');
});

it('says once that they may not be watched', async () => {
  const { asked } = follow(() => {
    throw new ApiStatusError('GET customresourcedefinitions', 403, 'forbidden');
  });
  await vi.waitFor(() => expect(asked.length).toBeGreaterThan(3));
  expect(warnings).toEqual([{ error: 'GET customresourcedefinitions: 403 forbidden' }]);
});
