import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { World } from '../support/world.ts';

const HOOK_CHECK_MS = 40;
const NAMES = Array.from({ length: 20 }, (_, index) => `source-${index}`);
const uidOf = (name: string) => `00000000-0000-4000-8000-${name.replace('source-', '').padStart(12, '0')}`;

let world: World;
let looks: number;
let reads: string[];
beforeEach(() => {
  world = new World();
  looks = 0;
  reads = [];
  for (const name of ['get', 'readSecretKey', 'readRoute', 'adapterStates'] as const) {
    const read = world.cluster[name].bind(world.cluster) as (...args: unknown[]) => never;
    world.cluster[name] = (...args: unknown[]) => {
      reads.push(`${name} ${JSON.stringify(args)}`);
      return read(...args);
    };
  }
});
afterEach(() => world.end());

const lists = () => world.github.calls.filter((call) => call.startsWith('GET ')).length;
const writes = () => world.github.calls.filter((call) => !call.startsWith('GET '));
const pass = (ms: number) => void (world.now = new Date(world.now.getTime() + ms));

/** Each source was looked at twice or so; the clock stands still. */
async function looked(): Promise<void> {
  const before = looks;
  await world.holds(() => expect(looks - before).toBeGreaterThan(2.5 * NAMES.length));
}

describe('20 sources of one repository', () => {
  beforeEach(async () => {
    await world.start({ hookCheckMs: HOOK_CHECK_MS, onReconciled: () => void (looks += 1) });
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    for (const name of NAMES) world.source({}, { name, uid: uidOf(name) });
    for (const name of NAMES) await world.becomes('Ready=True', name);
    await looked();
  });

  it('cost one call an interval, and nothing of the quota', async () => {
    expect(world.github.hooks).toHaveLength(20);
    const before = { lists: lists(), quota: world.github.quotaUsed, writes: writes() };
    pass(HOOK_CHECK_MS / 2);
    await looked();
    expect(lists() - before.lists).toBe(0);
    for (let round = 1; round <= 3; round += 1) {
      pass(HOOK_CHECK_MS);
      await looked();
      expect(lists() - before.lists).toBe(round);
    }
    expect([world.github.quotaUsed, writes()]).toEqual([before.quota, before.writes]);
  });

  it('cost the cluster nothing while nothing changes', async () => {
    reads.length = 0;
    await looked();
    pass(HOOK_CHECK_MS);
    await looked();
    expect(reads).toEqual([]);
  });

  it.each([
    ['the Secret', () => world.secret({ accessToken: 'token', secretToken: 'next' })],
    ['the sink', () => world.broker('http://moved.example.com/')],
    ['a source', () => world.source({ eventTypes: ['star'] }, { name: 'source-7', uid: uidOf('source-7') })],
  ])('are looked at as a whole when something changed: %s', async (_what, change) => {
    reads.length = 0;
    change();
    await world.holds(() => expect(reads.join()).toContain('"name":"source-7"'));
  });

  it('a webhook that GitHub lost is made again in the next interval, and one that is there twice is removed', async () => {
    const [first, second] = world.github.hooks;
    if (!first || !second) throw new Error('no hooks');
    world.github.hooks.splice(0, 1, { ...second, id: 5000, config: { ...second.config } });
    pass(HOOK_CHECK_MS);
    const urls = () => world.github.hooks.map(({ config }) => config.url);
    await world.holds(() => expect(urls()).toContain(first.config.url));
    await world.holds(() => expect(new Set(urls()).size).toBe(urls().length));
    expect(urls()).toHaveLength(20);
  });

  it('a webhook edited by hand is repaired in the next interval, and that alone', async () => {
    const before = writes().length;
    const edited = world.github.hooks.slice(3, 4);
    for (const hook of edited) hook.events = ['fork'];
    await looked();
    expect(writes()).toHaveLength(before);
    pass(HOOK_CHECK_MS);
    await world.holds(() => expect(edited[0]?.events).toEqual(['push', 'issues']));
    await looked();
    expect(writes().slice(before)).toEqual([`PATCH /repos/octo/hello/hooks/${edited[0]?.id}`]);
    expect(world.announcements.filter(({ reason }) => reason === 'WebhookRestored')).toHaveLength(1);
  });
});

describe('a list read a moment ago', () => {
  const removeByHand = () => {
    world.github.hooks.length = 0;
    pass(1);
  };
  const isMadeAgain = async () => {
    await world.holds(() => expect(world.status().webhookIDKey).toBe('4002'));
    await world.becomes('Ready=True');
    return writes();
  };
  const twice = ['POST /repos/octo/hello/hooks', 'POST /repos/octo/hello/hooks'];
  beforeEach(async () => {
    await world.startReady();
    world.source({ delivery: { retry: 2 } });
    await world.holds(() => expect(world.status().observedGeneration).toBe(2));
  });

  it('does not decide what a new secret needs', async () => {
    removeByHand();
    world.secret({ accessToken: 'token', secretToken: 'next' });
    expect(await isMadeAgain()).toEqual(twice);
    expect(world.github.hooks[0]?.config.secret).toBe('next');
  });

  it('does not decide what an edited source needs', async () => {
    removeByHand();
    world.source({ delivery: { retry: 1 } });
    expect(await isMadeAgain()).toEqual(twice);
  });

  it('does not hide what was written since', async () => {
    for (const eventTypes of [['star'], ['push', 'issues'], ['star']]) {
      world.source({ eventTypes });
      await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(eventTypes));
      await world.holds(() => expect(world.status().observedGeneration).toBe(world.object()?.metadata.generation));
    }
  });

  it('is not used with another access token', async () => {
    removeByHand();
    world.secret({ accessToken: 'token2', secretToken: 's3cret' });
    expect(await isMadeAgain()).toEqual(twice);
  });

  it('does not hide a webhook from the deletion of its source', async () => {
    const [hook] = world.github.hooks;
    if (!hook) throw new Error('no hook');
    const config = { ...hook.config, url: hook.config.url.replace('hooks.', 'old.') };
    world.github.hooks.push({ ...hook, id: 5000, config });
    world.cluster.delete(world.reference());
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
  });
});
