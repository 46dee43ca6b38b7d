import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UID, World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  world.github.dropEvents('issues');
  await world.start();
  world.secret({ accessToken: 'token', secretToken: 's3cret' });
  world.broker('http://broker.example.com/demo/default');
  world.source();
  await world.becomes('Ready=False KeptOtherwise');
});
afterEach(() => world.end());

const writes = () => world.github.calls.filter((call) => /^(POST|PATCH)/.test(call)).length;
const reasons = () => world.announcements.map(({ reason }) => reason);

describe('a webhook that the provider keeps with fewer events than it was written with', () => {
  it('is said, with what is there, and is not written at every look', async () => {
    expect(world.message('WebhookConfigured')).toMatch(/otherwise than it was written \(.*events push\): change spec/);
    expect(reasons()).toEqual(['WebhookCreated', 'KeptOtherwise']);
    for (let look = 0; look < 3; look += 1) await world.lookAgain();
    expect(writes()).toBe(1);
    expect(reasons()).toEqual(['WebhookCreated', 'KeptOtherwise']);
  });

  it('is not written by a controller that starts', async () => {
    const looks = world.github.calls.length;
    await world.restart();
    await world.holds(() => expect(world.github.calls.length).toBeGreaterThan(looks));
    await world.lookAgain();
    expect(writes()).toBe(1);
  });

  it('is written once when somebody changed it there', async () => {
    for (const hook of world.github.hooks) hook.active = false;
    await world.lookAgain();
    await world.holds(() => expect(writes()).toBe(2));
    await world.lookAgain();
    await world.lookAgain();
    expect(writes()).toBe(2);
    expect(world.github.hooks.map(({ active, events }) => ({ active, events }))).toEqual([
      { active: true, events: ['push'] },
    ]);
  });

  it('is written when it should be another, and well when that is kept', async () => {
    world.source({ eventTypes: ['push', 'star', 'issues'] });
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['push', 'star']));
    await world.becomes('Ready=False KeptOtherwise');
    world.source({ eventTypes: ['push', 'star'] });
    await world.becomes('Ready=True');
    expect(world.status().hooks).toEqual([expect.not.objectContaining({ keptAs: expect.anything() })]);
    const written = writes();
    await world.lookAgain();
    expect(writes()).toBe(written);
  });

  it('is well when the provider has all of it', async () => {
    world.github.dropEvents();
    for (const hook of world.github.hooks) hook.events = ['issues', 'push'];
    await world.lookAgain();
    await world.becomes('Ready=True');
    expect(writes()).toBe(1);
  });

  it('gets another secret', async () => {
    world.secret({ accessToken: 'token', secretToken: 'next' });
    await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe('next'));
    // The old one has an end.
    const until = new Date(world.now.getTime() + 3_600_000).toISOString();
    await world.holds(() =>
      expect(world.routes.get(UID)?.secretTokens).toMatchObject([
        { value: 'next' },
        { value: 's3cret', validUntil: until },
      ]),
    );
    await world.lookAgain();
    expect(writes()).toBe(2);
  });

  it('goes with its source', async () => {
    world.cluster.delete(world.reference());
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
  });
});
