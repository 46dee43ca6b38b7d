import { afterEach, describe, expect, it } from 'vitest';
import { aRoute } from '../support/builders.ts';
import { aDelivery } from '../support/deliveries.ts';
import { anAdapter, aSink, stopParts } from '../support/parts.ts';
import { send } from '../support/post.ts';
import type { TestAdapter } from '../support/test-adapter.ts';

afterEach(stopParts);

const paths = ['/', '/demo/hello', '/hooks/0a1b2c3d', '/base/hooks/0a1b2c3d', '/hooks/other'];

async function statusAt(adapter: TestAdapter, path: string, secret?: string): Promise<number> {
  const { headers, body } = aDelivery({ id: `at ${path}`, ...(secret !== undefined && { secret }) });
  return (await send(adapter.url(path), { headers, body })).status;
}

describe('an adapter of one source', () => {
  it('takes its deliveries on every path', async () => {
    const sink = await aSink();
    const adapter = await anAdapter({ sink: { url: sink.url() } }, { ANY_PATH: 'true' });
    for (const path of paths) expect(await statusAt(adapter, path)).toBe(202);
    expect(sink.received).toHaveLength(paths.length);
  });

  it('asks for its signature on every path', async () => {
    const adapter = await anAdapter({}, { ANY_PATH: 'true' });
    for (const path of paths) expect(await statusAt(adapter, path, 'another')).toBe(401);
  });

  it('guesses nothing when it has two', async () => {
    const sink = await aSink();
    const adapter = await anAdapter({ sink: { url: sink.url() } }, { ANY_PATH: 'true' });
    await adapter.write(aRoute({ uid: 'second', name: 'second' }));
    await expect.poll(() => adapter.stateOf('second')).toBeDefined();
    expect(await statusAt(adapter, '/demo/hello')).toBe(404);
    expect(await statusAt(adapter, '/hooks/0a1b2c3d')).toBe(202);
  });
});
