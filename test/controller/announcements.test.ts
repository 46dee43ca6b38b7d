import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UID, World } from '../support/world.ts';

let world: World;
beforeEach(() => void (world = new World()));
afterEach(() => world.end());

/** `Warning Reason: message`; what was said before `forget` is not among them. */
const said = () => world.announcements.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
const forget = () => void (world.announcements.length = 0);
const POLL = { timeout: 5000, interval: 5 };

describe('Events tell', () => {
  it('of a new webhook, and where events flow', async () => {
    await world.startReady();
    expect(said()).toEqual([
      `Normal WebhookCreated: webhook 4001 of octo/hello made, with URL https://hooks.example.com/hooks/${UID}`,
      'Normal Ready: events flow to http://broker.example.com/demo/default',
    ]);
  });

  it('of a new secret, and until when the old one is accepted', async () => {
    await world.startReady();
    forget();
    world.secret({ accessToken: 'token', secretToken: 'next' });
    await expect
      .poll(said, POLL)
      .toEqual([
        'Normal WebhookUpdated: webhook 4001 of octo/hello has the new secret',
        'Normal SecretRotated: the provider signs with the new secret; what it replaced is accepted until 2026-01-01T01:00:00.000Z',
      ]);
  });

  it('of an edit', async () => {
    await world.startReady();
    forget();
    world.source({ eventTypes: ['star'] });
    await expect
      .poll(said, POLL)
      .toEqual(['Normal WebhookUpdated: webhook 4001 of octo/hello is as the source has it now']);
  });

  it('of another public address', async () => {
    await world.startReady();
    await world.restart({
      adapter: {
        dedicated: 'refused',
        defaultMode: 'shared',
        publicUrlFor: () => 'https://new.example.com',
        publicUrlAdvice: 'set PUBLIC_URL',
      },
    });
    await expect
      .poll(said, POLL)
      .toContain(`Normal WebhookMoved: webhook 4001 of octo/hello moved to https://new.example.com/hooks/${UID}`);
  });

  it('what the user is to do, and the end of the old secret once that is done', async () => {
    const authentic = () => {
      const { generation = 0 } = world.routes.get(UID) ?? {};
      world.lastAuthentic = { time: world.now.toISOString(), secretToken: 0, generation };
    };
    await world.start();
    world.secret({ secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({ accessToken: undefined });
    await world.becomes('Ready=Unknown WaitingForDelivery');
    await expect.poll(said, POLL).toEqual([expect.stringMatching(/^Normal WaitingForDelivery: make a webhook at/)]);
    authentic();
    await world.becomes('Ready=True');
    forget();
    world.secret({ secretToken: 'next' });
    await world.becomes('Ready=Unknown WaitingForDelivery');
    authentic();
    await expect
      .poll(() => world.announcements.map(({ reason }) => reason), POLL)
      .toEqual(['WaitingForDelivery', 'SecretRotated', 'Ready']);
  });

  it('what a condition says beside True, when it begins to', async () => {
    await world.startReady();
    forget();
    world.source({ delivery: { retry: 20 } });
    await expect.poll(said, POLL).toEqual([expect.stringMatching(/^Warning DeliveryCutShort: ./)]);
    world.source({ delivery: { retry: 21 } });
    await world.holds(() => expect(world.status().observedGeneration).toBe(3));
    expect(said()).toHaveLength(1);
  });

  it('not that the provider cannot be asked for a while', async () => {
    await world.startReady();
    forget();
    world.github.refuse(500);
    await world.lookAgain();
    await world.becomes('WebhookConfigured=True NotCompared');
    expect(said()).toEqual([]);
  });
});

describe('docs/operations.md', async () => {
  const folder = join(import.meta.dirname, '../../controller');
  const page = await readFile(join(folder, '../docs/operations.md'), 'utf8');
  const table = page.slice(page.indexOf('\n## Events\n'), page.indexOf('\n## When'));
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  const made = texts.flatMap((text) =>
    Array.from(
      text.matchAll(/type: (?:'Normal'|'Warning'|[^,\n]+'Warning'),\s+reason: '(\w+)'/g),
      ([, reason = '']) => reason,
    ),
  );

  it('has Events to list', () => expect(new Set(made).size).toBeGreaterThan(14));

  it.each([...new Set(made)].toSorted())('lists %s', (reason) => expect(table).toContain(`\`${reason}\``));
});
