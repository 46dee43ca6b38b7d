import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ApiRequest } from '../../../controller/kube/api-client.ts';
import { OrphanedHooks } from '../../../controller/kube/orphaned-hooks.ts';
import type { SourceObject } from '../../../controller/objects.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';

const PATH = '/api/v1/namespaces/headwater/configmaps';
const source = { kind: 'GitHubSource', metadata: { namespace: 'demo', name: 'hello' } } as SourceObject;
const hook = { api: 'https://api.github.com', repository: 'octo/hello', id: '1', secretVersion: '7' };

let data: Readonly<Record<string, string>> | undefined;
let refuse: number | undefined;
let counts: number[];
let log: object[];
let orphans: OrphanedHooks;
beforeEach(() => {
  data = undefined;
  refuse = undefined;
  counts = [];
  log = [];
  const call = async (method: string, path: string, { body }: ApiRequest = {}) => {
    const isThere = data !== undefined && path === `${PATH}/headwater-orphaned-hooks`;
    const code = refuse ?? (method !== 'POST' && !isThere ? 404 : undefined);
    if (code !== undefined) throw new ApiStatusError(`${method} ${path}`, code, 'refused');
    data = { ...data, ...(body as { data?: Record<string, string> } | undefined)?.data };
    return { data };
  };
  orphans = new OrphanedHooks({
    api: { call: call as never },
    systemNamespace: 'headwater',
    onCount: (count) => void counts.push(count),
    log: pino({}, { write: (line) => void log.push(JSON.parse(line) as object) }),
  });
});

describe('webhooks left behind', () => {
  it('are noted, each once, and counted', async () => {
    await orphans.record(source, hook);
    await orphans.record(source, hook);
    await orphans.record(source, { ...hook, id: '2' });
    expect(Object.values(data ?? {})).toEqual([
      'https://api.github.com octo/hello webhook 1 (GitHubSource demo/hello)',
      'https://api.github.com octo/hello webhook 2 (GitHubSource demo/hello)',
    ]);
    expect(counts).toEqual([1, 1, 2]);
  });

  it('are counted anew: their users take lines out, or all of them away', async () => {
    await orphans.record(source, hook);
    data = {};
    await orphans.count();
    data = undefined;
    await orphans.count();
    expect(counts).toEqual([1, 0, 0]);
  });

  it('that cannot be noted hold nothing up', async () => {
    refuse = 403;
    await orphans.record(source, hook);
    await orphans.count();
    expect(log).toMatchObject([{ msg: 'webhook left behind, and not noted' }, { level: 40 }]);
    expect(counts).toEqual([]);
  });
});
