import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UID, World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.startReady({}, { secretOverlapMs: 30 });
});
afterEach(() => world.end());

const HOUR = { 'retry-after': '3600' };
const lists = () => world.github.calls.filter((call) => call.startsWith('GET ')).length;
const reasons = () => world.announcements.map(({ reason }) => reason);

describe('GitHub cannot be asked about a webhook that is as it should be', () => {
  const passing: { name: string; trouble: () => void; message: RegExp }[] = [
    { name: 'it fails', trouble: () => world.github.refuse(500), message: /500 Server Error .*tried again/ },
    {
      name: 'it does not answer',
      trouble: () => world.github.loseAnswers(/^GET/),
      message: /not reached.*tried again/,
    },
    {
      name: 'no quota is left',
      trouble: () => world.github.refuse(403, /./, HOUR),
      message: /403 .*quota.*tried again/,
    },
  ];
  for (const { name, trouble, message } of passing) {
    it(`${name}: said beside True`, async () => {
      trouble();
      await world.lookAgain();
      await world.becomes('WebhookConfigured=True NotCompared');
      expect(world.message('WebhookConfigured')).toMatch(message);
      expect(world.condition('Ready')).toBe('Ready=True');
      expect(reasons()).toEqual(['WebhookCreated', 'Ready']);
    });
  }

  it('passes, and what was changed there meanwhile is repaired', async () => {
    world.github.refuse(500);
    await world.lookAgain();
    await world.becomes('WebhookConfigured=True NotCompared');
    world.github.hooks.length = 0;
    world.github.refuse(undefined);
    await world.becomes('WebhookConfigured=True');
    expect(world.github.hooks).toHaveLength(1);
  });

  it('is tried again and again, and written to status once', async () => {
    world.github.refuse(500);
    await world.lookAgain();
    await world.becomes('WebhookConfigured=True NotCompared');
    const version = world.object()?.metadata.resourceVersion;
    world.github.refuse(503);
    const before = lists();
    await world.holds(() => expect(lists() - before).toBeGreaterThan(2));
    expect(world.object()?.metadata.resourceVersion).toBe(version);
  });
});

it('a long wait for GitHub does not keep a replaced secret beyond its time', async () => {
  world.secret({ accessToken: 'token', secretToken: 'next' });
  const values = () => world.routes.get(UID)?.secretTokens.map(({ value }) => value);
  await world.holds(() => expect(world.routes.get(UID)?.secretTokens[1]?.validUntil).toBeDefined());
  world.github.refuse(403, /./, HOUR);
  // The list is older, but the secret's time not over.
  world.now = new Date(world.now.getTime() + 1);
  world.source({ delivery: { retry: 1 } });
  await world.becomes('Ready=False ReconciliationFailed');
  expect(values()).toEqual(['next', 's3cret']);
  world.now = new Date(world.now.getTime() + 1000);
  await world.holds(() => expect(values()).toEqual(['next']));
});

describe('it is False as before', () => {
  for (const status of [401, 403, 404, 422]) {
    it(`where GitHub refuses for good: ${status}`, async () => {
      world.github.refuse(status);
      await world.lookAgain();
      await world.becomes('Ready=False ReconciliationFailed');
      expect(world.condition('WebhookConfigured')).toBe('WebhookConfigured=False ReconciliationFailed');
    });
  }

  const changes: { name: string; change: () => void }[] = [
    { name: 'an edited source', change: () => world.source({ eventTypes: ['star'] }) },
    { name: 'a new secret', change: () => world.secret({ accessToken: 'token', secretToken: 'next' }) },
    { name: 'another owner', change: () => world.source({ ownerAndRepository: 'octo/other' }) },
  ];
  for (const { name, change } of changes) {
    it(`where something is to be written: ${name}`, async () => {
      world.github.refuse(500);
      change();
      await world.becomes(`Ready=False ${name === 'another owner' ? 'CreationFailed' : 'ReconciliationFailed'}`);
      expect(world.condition('WebhookConfigured')).toMatch(/^WebhookConfigured=False/);
    });
  }

  it('where the public address is another', async () => {
    const adapter = {
      dedicated: 'refused',
      defaultMode: 'shared',
      publicUrlFor: () => 'https://new.example.com',
      publicUrlAdvice: '',
    } as const;
    await world.restart({ adapter }, () => world.github.refuse(500));
    await world.becomes('Ready=False ReconciliationFailed');
    expect(world.condition('WebhookConfigured')).toBe('WebhookConfigured=False ReconciliationFailed');
  });

  it('where a list that another source read shows a difference', async () => {
    world.source({}, { name: 'other', uid: '22222222-2222-4222-8222-222222222222' });
    await world.becomes('Ready=True', 'other');
    for (const hook of world.github.hooks.slice(0, 1)) hook.events = ['fork'];
    await world.lookAgain('other');
    await world.becomes('Ready=True', 'other');
    world.github.refuse(500);
    world.now = new Date(world.now.getTime() + 1);
    world.source({}, { annotations: { look: 'now' } });
    await world.becomes('Ready=False ReconciliationFailed');
    expect(world.condition('WebhookConfigured')).toBe('WebhookConfigured=False ReconciliationFailed');
  });
});
