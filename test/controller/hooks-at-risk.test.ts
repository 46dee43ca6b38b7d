import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedGitHub } from '../../sources/github/simulated-api.ts';
import { PUBLIC_URL, UID, World } from '../support/world.ts';

let world: World;
beforeEach(() => void (world = new World()));
afterEach(() => world.end());

const url = `${PUBLIC_URL}/hooks/${UID}`;
const writes = () => world.github.calls.filter((call) => !call.startsWith('GET '));

async function hookAt(target: string, repository = 'octo/hello'): Promise<void> {
  const headers = { authorization: 'Bearer token', 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'web', config: { url: target } });
  await fetch(`${world.api}/repos/${repository}/hooks`, { method: 'POST', headers, body });
}

describe('an answer that is lost', () => {
  it('of a webhook being made: it is found again, not made twice', async () => {
    await world.start();
    world.github.loseAnswers(/^POST/);
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source();
    await world.becomes('Ready=False CreationFailed');
    expect(world.status().hooks).toEqual([{ api: world.api, repository: 'octo/hello', id: '', secretVersion: '' }]);
    await world.becomes('Ready=True');
    expect(world.github.hooks).toHaveLength(1);
  });

  it('of a webhook being made, and then another owner: the first one goes', async () => {
    await world.start();
    world.github.loseAnswers(/^POST/);
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source();
    await world.holds(() => expect(world.status().hooks).toHaveLength(1));
    world.github.loseAnswers(undefined);
    world.source({ ownerAndRepository: 'octo/other' });
    await world.holds(() => expect(world.github.hooks.map(({ repository }) => repository)).toEqual(['octo/other']));
    await world.becomes('Ready=True');
  });

  it('of a new secret, which is then taken back: the webhook gets the old one', async () => {
    await world.startReady();
    world.github.loseAnswers(/^PATCH/);
    world.secret({ accessToken: 'token', secretToken: 'next' });
    await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe('next'));
    await world.becomes('Ready=False ReconciliationFailed');
    world.github.loseAnswers(undefined);
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe('s3cret'));
  });
});

it('a webhook that no quota is left for is not noted as one that may be there', async () => {
  await world.start();
  world.github.quotaUsed = 4999;
  world.secret({ accessToken: 'token', secretToken: 's3cret' });
  world.broker('http://broker.example.com/');
  world.source();
  await world.becomes('Ready=False CreationFailed');
  expect(world.message('Ready')).toContain('not asked, since GitHub said to wait');
  expect([writes(), world.status().hooks]).toEqual([[], undefined]);
});

describe('several webhooks that are ours', () => {
  it('one stays, that with the right URL', async () => {
    await world.open();
    await hookAt(`https://old.example.com/hooks/${UID}`);
    await hookAt(url);
    await world.startReady();
    expect(world.github.hooks.map(({ id, config }) => [id, config.url])).toEqual([[4002, url]]);
  });

  it('all go with the source', async () => {
    await world.startReady();
    await hookAt(`https://old.example.com/hooks/${UID}`);
    world.cluster.delete(world.reference());
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
  });
});

describe('the same place by another name', () => {
  it('a slash at the end of an organization removes nothing', async () => {
    await world.startReady({ ownerAndRepository: 'octo/' });
    world.source({ ownerAndRepository: 'octo' });
    await world.holds(() => expect(world.status().observedGeneration).toBe(2));
    expect(world.github.hooks).toHaveLength(1);
    expect(writes()).toEqual(['POST /orgs/octo/hooks']);
  });
});

describe('an access token', () => {
  it('is never given to another API than the one it is for', async () => {
    const other = new SimulatedGitHub();
    try {
      const api = await other.start();
      await world.startReady();
      let calls = 0;
      await world.restart({}, () => {
        calls = world.github.calls.length;
        world.secret({ accessToken: 'other-token', secretToken: 's3cret' });
        world.source({ githubAPIURL: api });
      });
      await world.becomes('WebhookConfigured=True OldWebhookRemains');
      expect(world.message('WebhookConfigured')).toContain(`there is no access token for ${world.api}`);
      expect(world.github.calls).toHaveLength(calls);
      world.source({ githubAPIURL: api }, { annotations: { 'headwater.dev/abandon-hook': 'true' } });
      await world.becomes('WebhookConfigured=True');
      expect(world.orphans).toEqual([expect.objectContaining({ api: world.api, id: '4001' })]);
    } finally {
      await other.stop();
    }
  });

  it('with other characters than a header carries is said to be none', async () => {
    await world.start();
    world.secret({ accessToken: 'tok€n', secretToken: 's3cret' });
    world.broker('http://broker.example.com/');
    world.source();
    await world.becomes('Ready=False AccessTokenInvalid');
    expect(world.github.calls).toEqual([]);
  });
});

describe('what is left of an earlier owner', () => {
  it('is tried again when something changes, where only that helps', async () => {
    await world.startReady();
    world.github.refuse(403, /^DELETE/);
    world.source({ ownerAndRepository: 'octo/other' });
    await world.becomes('WebhookConfigured=True OldWebhookRemains');
    const calls = world.github.calls.length;
    world.secret({ accessToken: 'better', secretToken: 's3cret' });
    world.github.refuse(undefined);
    await world.becomes('WebhookConfigured=True');
    expect(world.github.calls.length - calls).toBeLessThan(10);
  });
});

describe('a failure nobody foresaw', () => {
  afterEach(() => void (world.errors.length = 0));

  it('is said in status, and passes', async () => {
    await world.startReady();
    world.served = 'broken';
    world.source({ eventTypes: ['star'] });
    await world.becomes('Ready=Unknown InternalError');
    expect(world.status().observedGeneration).toBe(2);
    world.served = undefined;
    await world.becomes('Ready=True');
    expect(world.errors[0]).toMatchObject({ error: 'the adapters cannot be asked' });
    world.errors.length = 0;
  });

  it('of the cluster, at the moment of a change, does not lose the change', async () => {
    await world.startReady();
    const get = world.cluster.get.bind(world.cluster);
    let failures = 1;
    world.cluster.get = async (reference) => {
      if (failures-- > 0) throw new Error('etcd is away');
      return get(reference);
    };
    world.source({ eventTypes: ['star'] });
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['star']));
    world.errors.length = 0;
  });

  it.each(['forbidden', 'no-kind'] as const)(
    'of one look at the source (%s) does not lose the source',
    async (found) => {
      await world.startReady();
      const get = world.cluster.get.bind(world.cluster);
      let refused = 0;
      world.cluster.get = async (reference) => {
        if (reference.kind !== 'GitHubSource' || refused > 0) return get(reference);
        refused += 1;
        return found === 'forbidden' ? { found, rule: 'get' } : { found };
      };
      world.source({ eventTypes: ['push'] });
      await world.holds(() => expect(refused).toBe(1));
      world.broker('http://moved.example.com/');
      await world.holds(() => expect(world.status().sinkUri).toBe('http://moved.example.com/'));
      expect(world.github.hooks[0]?.events).toEqual(['push']);
    },
  );
});
