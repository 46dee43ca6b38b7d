import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UID, World } from '../support/world.ts';

let world: World;
beforeEach(async () => {
  world = new World();
  await world.startReady();
});
afterEach(() => world.end());

const deletes = () => world.github.calls.filter((call) => call.startsWith('DELETE '));
const reasons = () => world.announcements.map(({ reason }) => reason);
const remove = () => world.cluster.delete(world.reference());

describe('deleting a source', () => {
  it('removes webhook and route, with one call', async () => {
    remove();
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
    expect(deletes()).toEqual(['DELETE /repos/octo/hello/hooks/4001']);
    expect(world.routes.get(UID)).toBeUndefined();
    expect(reasons()).toContain('WebhookRemoved');
    expect(world.orphans).toEqual([]);
  });

  it('keeps the route until the webhook is gone', async () => {
    world.github.refuse(500, /^DELETE/);
    remove();
    await world.becomes('Ready=False WebhookDeletionFailed');
    expect(world.routes.get(UID)?.sink).toBeTruthy();
    world.github.refuse(undefined);
    await world.isGone();
  });

  for (const status of [404, 410]) {
    it(`${status}: it is gone already`, async () => {
      world.github.refuse(status, /^DELETE/);
      remove();
      await world.isGone();
      expect(deletes()).toHaveLength(1);
      expect(world.orphans).toEqual([]);
    });
  }

  for (const status of [401, 403, 422, 500, 503]) {
    it(`${status}: tried again, and said, until it goes`, async () => {
      world.github.refuse(status, /^DELETE/);
      remove();
      await world.becomes('Ready=False WebhookDeletionFailed');
      await world.holds(() => expect(deletes().length).toBeGreaterThan(3));
      expect(world.message('Ready')).toMatch(
        new RegExp(`webhook 4001 of octo/hello is not removed: .*${status}.*abandon-hook`),
      );
      expect(reasons().filter((reason) => reason === 'WebhookDeletionFailed')).toHaveLength(1);
      world.github.refuse(undefined);
      await world.isGone();
      expect(world.github.hooks).toEqual([]);
      expect(world.orphans).toEqual([]);
    });
  }

  it('lets go after an hour, and notes what is left behind', async () => {
    world.github.refuse(401, /^DELETE/);
    remove();
    await world.becomes('Ready=False WebhookDeletionFailed');
    world.now = new Date(world.now.getTime() + 3_600_000);
    await world.isGone();
    expect(reasons()).toContain('WebhookDeletionSkipped');
    expect(world.orphans).toEqual([expect.objectContaining({ repository: 'octo/hello', id: '4001' })]);
    expect(world.routes.get(UID)).toBeUndefined();
  });

  it('lets go at once where the annotation says so', async () => {
    world.github.refuse(401, /^DELETE/);
    world.source({}, { annotations: { 'headwater.dev/abandon-hook': 'true' } });
    remove();
    await world.isGone();
    expect(world.orphans).toHaveLength(1);
  });

  it('lets go when the annotation comes later', async () => {
    world.github.refuse(401, /^DELETE/);
    remove();
    await world.becomes('Ready=False WebhookDeletionFailed');
    world.source({}, { annotations: { 'headwater.dev/abandon-hook': 'true' } });
    await world.isGone();
    expect(world.orphans).toHaveLength(1);
  });

  it('works without the Secret, which went first', async () => {
    world.cluster.delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name: 'github' });
    await world.becomes('Ready=False AccessTokenNotFound');
    remove();
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
  });

  it('waits for the Secret where the controller forgot the token', async () => {
    world.cluster.delete({ apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name: 'github' });
    await world.restart();
    remove();
    await world.becomes('Ready=False WebhookDeletionFailed');
    expect(world.message('Ready')).toContain('no access token');
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
  });

  it('removes also a webhook that status does not know of', async () => {
    const { hooks: _forgotten, webhookIDKey: _too, ...status } = world.status();
    world.cluster.setStatus(world.reference(), status);
    remove();
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
  });

  it('removes the webhook of an earlier owner, too', async () => {
    world.github.refuse(500, /^DELETE/);
    world.source({ ownerAndRepository: 'octo/other' });
    await world.becomes('WebhookConfigured=True OldWebhookRemains');
    remove();
    await world.becomes('Ready=False WebhookDeletionFailed');
    world.github.refuse(undefined);
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
  });

  it('of a source that never got anywhere is quick', async () => {
    world.source(
      { githubAPIURL: 'http://127.0.0.1:1/' },
      { name: 'lost', uid: '33333333-3333-4333-8333-333333333333' },
    );
    await world.becomes('Ready=False CreationFailed', 'lost');
    world.cluster.delete(world.reference('lost'));
    await world.isGone('lost');
    expect(world.orphans).toEqual([]);
  });
});
