import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FirstLooks } from '../../controller/first-looks.ts';
import { UID, World } from '../support/world.ts';

const WITHIN_MS = 600_000;
let world: World;
beforeEach(() => void (world = new World()));
afterEach(async () => {
  vi.restoreAllMocks();
  await world.end();
});

const SOURCES = Array.from({ length: 20 }, (_, index) => ({
  spec: { ownerAndRepository: `octo/r${index}` },
  metadata: { name: index === 0 ? 'hello' : `r${index}`, uid: index === 0 ? UID : `${UID.slice(0, -2)}${10 + index}` },
}));
const spread = () => ({ firstLooks: new FirstLooks(WITHIN_MS) });
const pass = (ms: number) => void (world.now = new Date(world.now.getTime() + ms));

let before = 0;
const begin = () => void (before = world.github.calls.length);
const calls = () => world.github.calls.slice(before);

/** Ends when the new controller had a whole look at each source, as status is written last. */
async function restartSpread(): Promise<void> {
  vi.spyOn(Math, 'random').mockReturnValue(0.99);
  await world.restart(spread(), () => {
    begin();
    world.broker('http://moved.example.com/');
  });
  const names = SOURCES.map(({ metadata }) => metadata.name).filter((name) => world.object(name));
  await world.holds(() => {
    for (const name of names) expect(world.status(name).sinkUri).toBe('http://moved.example.com/');
  });
}

describe('FirstLooks', () => {
  const at = (ms: number) => new Date(1_000_000 + ms);

  it('plans a look once, at a random moment, and has it when that comes', () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.25);
    const looks = new FirstLooks(1000);
    expect(looks.waitMs('a', at(0))).toBe(250);
    random.mockReturnValue(0.5);
    expect(looks.waitMs('b', at(0))).toBe(500);
    expect([looks.waitMs('a', at(100)), looks.waitMs('a', at(250)), looks.waitMs('a', at(999))]).toEqual([150, 0, 0]);
    expect(looks.waitMs('b', at(-1))).toBe(0);
  });

  it('plans none after one was made, until the source is forgotten', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.25);
    const looks = new FirstLooks(1000);
    looks.made('a');
    expect(looks.waitMs('a', at(0))).toBe(0);
    looks.forget('a');
    expect(looks.waitMs('a', at(0))).toBe(250);
  });
});

describe('a controller that starts with 20 sources that are as they should be', () => {
  beforeEach(async () => {
    await world.startReady({ ownerAndRepository: 'octo/r0' });
    for (const one of SOURCES) world.source(one.spec, one.metadata);
    for (const { metadata } of SOURCES) await world.becomes('Ready=True', metadata.name);
  });

  it('asks GitHub for none of them at once, and for each within the interval', async () => {
    await restartSpread();
    expect(calls()).toEqual([]);
    for (const { metadata } of SOURCES) expect(world.condition('Ready', metadata.name)).toBe('Ready=True');
    pass(WITHIN_MS);
    for (const { spec, metadata } of SOURCES) world.source(spec, { ...metadata, annotations: { look: 'now' } });
    const lists = SOURCES.map(({ spec }) => `GET /repos/${spec.ownerAndRepository}/hooks?per_page=100`);
    await world.holds(() => expect(calls().toSorted()).toEqual(lists.toSorted()));
  });
});

describe('a source that is as it should be when the controller starts', () => {
  beforeEach(() => world.startReady());

  it('is compared at its time, though nothing happens', async () => {
    const options = { firstLooks: new FirstLooks(100), now: () => new Date() };
    await world.restart(options, () => void (world.github.hooks.length = 0));
    await world.holds(() => expect(world.github.hooks).toHaveLength(1));
  });

  it('has its webhook removed without the Secret, which went first', async () => {
    await restartSpread();
    world.cluster.delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name: 'github' });
    await world.becomes('Ready=False AccessTokenNotFound');
    world.cluster.delete(world.reference());
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
  });

  it('is compared at once with another access token', async () => {
    await restartSpread();
    world.secret({ accessToken: 'bad', secretToken: 's3cret' });
    await world.becomes('Ready=False ReconciliationFailed');
    expect(calls()).not.toEqual([]);
  });

  it('says what it said, where GitHub could not be asked', async () => {
    world.github.refuse(500);
    await world.lookAgain();
    await world.becomes('WebhookConfigured=True NotCompared');
    const said = world.message('WebhookConfigured');
    await restartSpread();
    expect(world.condition('WebhookConfigured')).toBe('WebhookConfigured=True NotCompared');
    expect([world.message('WebhookConfigured'), calls()]).toEqual([said, []]);
  });
});

describe('a source is compared at once', () => {
  beforeEach(async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.99);
    await world.startReady({}, spread());
  });

  it('again, where it was compared before', async () => {
    pass(0.6 * WITHIN_MS);
    begin();
    world.source({}, { annotations: { look: 'now' } });
    // Twice, where the look that its own webhook brings about was still to come.
    await world.holds(() => expect(calls()).toContain('GET /repos/octo/hello/hooks?per_page=100'));
  });

  const hook = (id: string) => ({ api: world.api, repository: `octo/${id}`, id, secretVersion: '1' });
  const setStatus = (change: object) => world.cluster.setStatus(world.reference(), { ...world.status(), ...change });
  const aside = { type: 'UpstreamControllerRunning', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' };
  const meanwhile: { name: string; happens: () => void }[] = [
    { name: 'it was edited', happens: () => world.source({ eventTypes: ['star'] }) },
    { name: 'it has a new secret', happens: () => world.secret({ accessToken: 'token', secretToken: 'next' }) },
    { name: 'no webhook is on record', happens: () => setStatus({ hooks: undefined }) },
    {
      name: 'an older webhook remains',
      happens: () => setStatus({ hooks: [...(world.status().hooks ?? []), hook('7')] }),
    },
    { name: 'it was not ready', happens: () => setStatus({ conditions: [] }) },
    {
      name: 'another controller served it',
      happens: () => setStatus({ conditions: [...(world.status().conditions ?? []), aside] }),
    },
  ];
  for (const { name, happens } of meanwhile) {
    it(`by a controller that starts, where ${name}`, async () => {
      await world.restart(spread(), () => {
        begin();
        happens();
      });
      await world.holds(() => expect(calls()).toContain('GET /repos/octo/hello/hooks?per_page=100'));
    });
  }
});
