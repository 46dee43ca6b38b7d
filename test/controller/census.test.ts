import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdmissionError, SourceRefusedError } from '../../controller/admission-error.ts';
import type { Census } from '../../controller/census.ts';
import { SourceMetrics } from '../../controller/source-metrics.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { UID, World } from '../support/world.ts';

let world: World;
let registry: Registry;
let metrics: SourceMetrics;
let census: Census;
beforeEach(() => {
  world = new World();
  registry = new Registry();
  metrics = new SourceMetrics(registry, ['GitHubSource']);
  census = metrics.census;
});
afterEach(() => world.end());

/** What is not 0, as `ready reason` and `webhook state`, a line each. */
async function counted(): Promise<readonly string[]> {
  const text = await registry.metrics();
  const sources = text.matchAll(/^headwater_sources{kind="GitHubSource",ready="(.*)",reason="(.*)"} (\d+)$/gm);
  const webhooks = text.matchAll(/^headwater_webhooks{kind="GitHubSource",state="(.*)"} ([1-9]\d*)$/gm);
  return [
    ...Array.from(sources, ([, ready, reason, count]) => `${count} ${ready} ${reason}`.trim()),
    ...Array.from(webhooks, ([, state, count]) => `webhook ${count} ${state}`),
  ];
}
const POLL = { timeout: 5000, interval: 5 };

describe('the sources are counted', () => {
  it('by what the last look at each found, until they are gone', async () => {
    await world.startReady({}, { census });
    await expect.poll(counted, POLL).toEqual(['1 True', 'webhook 1 configured']);
    world.source({}, { name: 'other', uid: UID.replaceAll('1', '2') });
    world.source({ sink: { uri: 'not a sink' } }, { name: 'third', uid: UID.replaceAll('1', '3') });
    await expect
      .poll(counted, POLL)
      .toEqual(['2 True', '1 False SinkInvalid', 'webhook 2 configured', 'webhook 1 unknown']);
    for (const name of ['hello', 'third']) world.cluster.delete(world.reference(name));
    await expect.poll(counted, POLL).toEqual(['1 True', 'webhook 1 configured']);
  });

  const rows: { name: string; trouble: () => void; lines: string[] }[] = [
    {
      name: 'GitHub fails, and nothing is to be written',
      trouble: () => world.github.refuse(500),
      lines: ['1 True', 'webhook 1 not-compared'],
    },
    {
      name: 'a webhook cannot be made',
      trouble: () => {
        world.github.refuse(403, /^(POST|PATCH)/);
        world.source({ ownerAndRepository: 'octo/other' });
      },
      lines: ['1 False CreationFailed', 'webhook 1 failing'],
    },
    {
      name: 'a webhook of before cannot be removed',
      trouble: () => {
        world.github.refuse(403, /^DELETE/);
        world.source({ ownerAndRepository: 'octo/other' });
      },
      lines: ['1 True', 'webhook 1 old-remains'],
    },
    {
      name: 'the webhook of one that is deleted cannot be removed',
      trouble: () => {
        world.github.refuse(403, /^DELETE/);
        world.cluster.delete(world.reference());
      },
      lines: ['1 False WebhookDeletionFailed', 'webhook 1 failing'],
    },
    {
      name: 'its user is to make the webhook',
      trouble: () => world.source({ accessToken: undefined }),
      lines: ['1 Unknown WaitingForDelivery', 'webhook 1 waiting'],
    },
    {
      name: 'its status may not be written',
      trouble: () => {
        const refused = new SourceRefusedError(new AdmissionError('PATCH /x', 500, 'no', 'policy.example.com'));
        world.cluster.writeStatus = () => Promise.reject(refused);
        world.source({ eventTypes: ['star'] });
      },
      lines: ['1 Unknown WriteRefused', 'webhook 1 unknown'],
    },
  ];
  it.each(rows)('$name', async ({ trouble, lines }) => {
    await world.startReady({}, { census });
    trouble();
    if (lines[1]?.endsWith('not-compared')) await world.lookAgain();
    await expect.poll(counted, POLL).toEqual(lines);
  });

  it('its user made the webhook', async () => {
    await world.start({ census });
    world.secret({ secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source({ accessToken: undefined });
    await expect.poll(counted, POLL).toEqual(['1 Unknown WaitingForDelivery', 'webhook 1 waiting']);
    const generation = world.routes.get(UID)?.generation ?? 0;
    world.lastAuthentic = { time: world.now.toISOString(), secretToken: 0, generation };
    await expect.poll(counted, POLL).toEqual(['1 True', 'webhook 1 by-hand']);
  });

  it('without those that another controller serves', async () => {
    const upstream = new FakeUpstream('gone');
    await world.startReady({}, { census, upstream });
    await expect.poll(counted, POLL).toEqual(['1 True', 'webhook 1 configured']);
    upstream.turn('running');
    await expect.poll(counted, POLL).toEqual([]);
  });
});

it('says of each state that none is in it', async () => {
  expect(await registry.metrics()).toContain('headwater_webhooks{kind="GitHubSource",state="failing"} 0');
});
