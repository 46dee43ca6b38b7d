import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PUBLIC_URL, UID, World } from '../support/world.ts';

let world: World;
beforeEach(() => void (world = new World()));
afterEach(() => world.end());

const url = `${PUBLIC_URL}/hooks/${UID}`;
const reasons = () => world.announcements.map(({ type, reason }) => `${type} ${reason}`);

describe('without access token', () => {
  const authentic = (time: string, secretToken = 0, generation = world.routes.get(UID)?.generation ?? 0) => ({
    time,
    secretToken,
    generation,
  });

  it('the user makes the webhook, and the first delivery makes the source ready, for good', async () => {
    await world.start();
    world.secret({ secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({ accessToken: undefined });
    await world.becomes('Ready=Unknown WaitingForDelivery');
    expect(world.status().webhookURL).toBe(url);
    expect(world.message('Ready')).toContain(url);
    world.lastAuthentic = authentic('2025-12-31T23:59:59.000Z');
    world.now = new Date('2026-01-01T00:00:05Z');
    world.lastAuthentic = authentic('2026-01-01T00:00:04.000Z');
    await world.becomes('Ready=True');
    expect(world.status().manualHook?.firstDelivery).toBe('2026-01-01T00:00:04.000Z');
    // Adapters forget, and so does a controller.
    world.lastAuthentic = undefined;
    await world.restart();
    world.source({ accessToken: undefined, eventTypes: ['star'] });
    await world.holds(() => expect(world.status().observedGeneration).toBe(2));
    expect(world.condition('Ready')).toBe('Ready=True');
    expect(world.github.calls).toEqual([]);
  });

  it('a new secret asks for a delivery under it; the old one then has an hour', async () => {
    await world.start();
    world.secret({ secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({ accessToken: undefined });
    await world.becomes('Ready=Unknown WaitingForDelivery');
    world.lastAuthentic = authentic('2026-01-01T00:00:00.000Z');
    await world.becomes('Ready=True');
    world.secret({ secretToken: 'next' });
    await world.becomes('Ready=Unknown WaitingForDelivery');
    world.lastAuthentic = authentic('2026-01-01T00:00:01.000Z', 1);
    world.now = new Date('2026-01-01T00:00:02Z');
    expect(world.routes.get(UID)?.secretTokens.map(({ value, validUntil }) => [value, validUntil])).toEqual([
      ['next', undefined],
      ['s3cret', undefined],
    ]);
    world.lastAuthentic = authentic('2026-01-01T00:00:02.000Z', 0);
    await world.becomes('Ready=True');
    await world.holds(() =>
      expect(world.routes.get(UID)?.secretTokens[1]?.validUntil).toBe('2026-01-01T01:00:02.000Z'),
    );
  });

  it('is looked at more and more seldom', async () => {
    const looks = new Map<string, number>();
    const statesOf = world.cluster.adapterStates.bind(world.cluster);
    world.cluster.adapterStates = (uid) => {
      looks.set(uid, (looks.get(uid) ?? 0) + 1);
      return statesOf(uid);
    };
    const laterUid = '22222222-2222-4222-8222-222222222222';
    const laterOneLooked = async (times: number) => {
      const before = looks.get(laterUid) ?? 0;
      await world.holds(() => expect((looks.get(laterUid) ?? 0) - before).toBeGreaterThanOrEqual(times));
    };
    await world.start({ firstDeliveryPoll: { leastMs: 5, longestMs: 600_000 } });
    world.secret({ secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({ accessToken: undefined });
    await world.becomes('Ready=Unknown WaitingForDelivery');
    world.now = new Date('2026-01-01T10:00:00Z');
    world.source({ accessToken: undefined }, { name: 'later', uid: laterUid });
    await laterOneLooked(5);
    const before = looks.get(UID);
    await laterOneLooked(10);
    expect(looks.get(UID)).toBe(before);
  });

  it('goes without asking anybody', async () => {
    await world.start();
    world.secret({ secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({ accessToken: undefined });
    await world.becomes('Ready=Unknown WaitingForDelivery');
    world.cluster.delete(world.reference());
    await world.isGone();
    expect(world.github.calls).toEqual([]);
    expect(world.routes.get(UID)).toBeUndefined();
  });

  it("a webhook made before is the user's, and back again is found", async () => {
    await world.startReady();
    world.source({ accessToken: undefined });
    await world.becomes('Ready=Unknown WaitingForDelivery');
    expect(world.status().hooks).toBeUndefined();
    expect(reasons()).toContain('Normal WebhookReleased');
    expect(world.github.hooks).toHaveLength(1);
    world.source();
    await world.becomes('Ready=True');
    expect(world.github.hooks).toHaveLength(1);
    expect(world.status().manualHook).toBeUndefined();
  });
});
