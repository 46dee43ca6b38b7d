import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HookMoves } from '../../controller/hook-moves.ts';
import { type Options, PUBLIC_URL, UID, World } from '../support/world.ts';

const START = new Date('2026-01-01T00:00:00Z');
const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);
const OTHER_URL = 'https://other.example.com';

/** A line in which so many wait already. */
function lineOf(waiting: number, perMinute = 60): HookMoves {
  const line = new HookMoves(perMinute, START);
  for (let index = 0; index < waiting; index += 1) line.turnOf(`before-${index}`, START);
  return line;
}

describe('HookMoves', () => {
  it('lets ten go at once, and then as many a minute as are allowed', () => {
    const line = new HookMoves(30, START);
    const turns = Array.from({ length: 13 }, (_, index) => line.turnOf(String(index), START));
    expect(turns.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => START));
    expect(turns.slice(10)).toEqual([after(2), after(4), after(6)]);
  });

  it('keeps a turn until it was a minute ago, however often it is asked for', () => {
    const line = lineOf(10);
    for (const seconds of [0, 0.5, 1, 61]) expect(line.turnOf('a', after(seconds))).toEqual(after(1));
    expect(line.turnOf('a', after(61.001))).toEqual(after(61.001));
  });

  it('holds up nobody for those who changed their mind', () => {
    const line = lineOf(10);
    for (let times = 0; times < 100; times += 1) line.turnOf('a', START);
    expect(line.turnOf('b', START)).toEqual(after(2));
  });
});

describe('a changed public address', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.end());

  const at = (publicUrl: string | undefined, hookMoves = new HookMoves(60, START)): Options => ({
    hookMoves,
    adapter: {
      dedicated: 'refused',
      defaultMode: 'shared',
      publicUrlFor: () => publicUrl,
      publicUrlAdvice: 'set PUBLIC_URL',
    },
  });
  const hookUrls = () => world.github.hooks.map(({ config }) => config.url);
  const writes = () => world.github.calls.filter((call) => !call.startsWith('GET'));

  it('moves a webhook in its turn, and status says so until then', async () => {
    await world.startReady();
    let calls = 0;
    await world.restart(at(OTHER_URL, lineOf(10)), () => {
      calls = world.github.calls.length;
    });
    await world.becomes('Ready=Unknown WebhookMoving');
    expect(world.condition('WebhookConfigured')).toBe('WebhookConfigured=Unknown WebhookMoving');
    const said = world.message('Ready');
    for (const part of [`${PUBLIC_URL}/hooks/${UID}`, `${OTHER_URL}/hooks/${UID}`, '2026-01-01T00:00:01.000Z'])
      expect(said).toContain(part);
    expect(world.status().webhookURL).toBe(`${PUBLIC_URL}/hooks/${UID}`);
    expect(world.github.calls).toHaveLength(calls);
    world.now = after(1);
    world.source({}, { annotations: { look: 'now' } });
    await world.becomes('Ready=True');
    expect(world.status().webhookURL).toBe(`${OTHER_URL}/hooks/${UID}`);
    expect(hookUrls()).toEqual([`${OTHER_URL}/hooks/${UID}`]);
    expect(writes().map((call) => call.split(' ')[0])).toEqual(['POST', 'PATCH']);
    expect(world.announcements.at(-2)?.message).toContain(`moved to ${OTHER_URL}/hooks/${UID}`);
  });

  it('comes to a webhook by itself when its turn is there', async () => {
    await world.startReady();
    const began = new Date();
    const line = new HookMoves(6000, began);
    for (let index = 0; index < 15; index += 1) line.turnOf(String(index), began);
    await world.restart({ ...at(OTHER_URL, line), now: () => new Date() });
    await world.holds(() => expect(hookUrls()).toEqual([`${OTHER_URL}/hooks/${UID}`]));
    expect(Date.now() - began.getTime()).toBeGreaterThanOrEqual(60);
  });

  it('that is changed back moves nothing', async () => {
    await world.startReady();
    await world.restart(at(OTHER_URL, lineOf(10)));
    await world.becomes('Ready=Unknown WebhookMoving');
    await world.restart(at(PUBLIC_URL));
    await world.becomes('Ready=True');
    expect(writes()).toEqual(['POST /repos/octo/hello/hooks']);
  });

  it('holds up no webhook whose source is edited, and none that is to be made', async () => {
    await world.startReady();
    await world.restart(at(OTHER_URL, lineOf(1000)), () => world.source({ eventTypes: ['star'] }));
    await world.holds(() => expect(hookUrls()).toEqual([`${OTHER_URL}/hooks/${UID}`]));
    world.source({ ownerAndRepository: 'octo/other' }, { name: 'new', uid: '22222222-2222-4222-8222-222222222222' });
    await world.becomes('Ready=True', 'new');
  });

  it('that waits for its adapters counts as changed all the same', async () => {
    await world.startReady();
    world.served = null;
    await world.restart(at(OTHER_URL, lineOf(10)));
    await world.becomes('Deployed=False MissingReceiveAdapter');
    expect(world.status().webhookURL).toBe(`${PUBLIC_URL}/hooks/${UID}`);
    world.served = undefined;
    await world.becomes('Ready=Unknown WebhookMoving');
  });

  it('that goes leaves the webhook where it is, and status says what to do', async () => {
    await world.startReady();
    await world.restart(at(undefined));
    await world.becomes('Ready=False NoPublicAddress');
    expect(world.message('Ready')).toContain('set PUBLIC_URL');
    expect(world.message('Ready')).toContain(`still points at ${PUBLIC_URL}/hooks/${UID}`);
    expect(world.status()).toMatchObject({ webhookURL: `${PUBLIC_URL}/hooks/${UID}`, hooks: [{}] });
    await world.restart(at(PUBLIC_URL));
    await world.becomes('Ready=True');
    expect(writes()).toEqual(['POST /repos/octo/hello/hooks']);
  });

  it('is at once what a user is to paste who makes the webhook', async () => {
    await world.start(at(PUBLIC_URL));
    world.secret({ secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({ accessToken: undefined });
    await world.becomes('Ready=Unknown WaitingForDelivery');
    await world.restart(at(OTHER_URL, lineOf(1000)));
    await world.holds(() => expect(world.status().webhookURL).toBe(`${OTHER_URL}/hooks/${UID}`));
    expect(world.condition('Ready')).toBe('Ready=Unknown WaitingForDelivery');
  });
});
