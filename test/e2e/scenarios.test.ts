import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { simulator } from '../../sources/github/simulator.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { RealWorld } from './support/real-world.ts';

/** What is played on the in-memory cluster in test/controller/, on a real one. */
let world: RealWorld;
let sink: FakeSink;
beforeAll(async () => {
  world = new RealWorld();
  sink = await FakeSink.start();
  await world.start({ HOOK_CHECK_MS: '1000' });
});
afterEach(async () => {
  world.github.refuse(undefined);
  await world.kubectl('delete', 'githubsources,secrets,brokers', '--all', '-n', world.namespace, '--timeout=20s');
  expect(world.github.hooks.filter(({ config }) => config.url.startsWith(world.adapterUrl))).toEqual([]);
  world.github.hooks.length = 0;
  world.github.calls.length = 0;
});
afterAll(async () => {
  await world.stop();
  await sink.close();
});

const secrets = { accessToken: 'token', secretToken: 's3cret' };
const repositories = () => world.github.hooks.map(({ repository }) => repository);
const eventsOf = async () =>
  world.kubectl(
    'get',
    'events',
    '-n',
    world.namespace,
    '-o',
    'jsonpath={range .items[*]}{.reason}: {.message}{"\\n"}{end}',
  );

async function post(url: string, secret: string): Promise<number> {
  const delivery = simulator.deliver({ eventType: 'push', payload: { compare: 'a' } }, secret);
  const reply = await fetch(url, { method: 'POST', headers: delivery.headers, body: new Uint8Array(delivery.body) });
  return reply.status;
}

describe('a webhook', () => {
  it('that is there already, on a later page, is taken over and not doubled', async () => {
    await world.apply(world.source());
    await world.becomes('Ready=False AccessTokenNotFound');
    const { uid = '' } = (await world.object())?.metadata ?? {};
    const urls = Array.from({ length: 234 }, (_, index) => `https://other.example.com/hooks/${index}`);
    urls.splice(150, 0, `http://old.example.com/hooks/${uid}`);
    for (const url of urls) {
      const body = JSON.stringify({ name: 'web', events: ['push'], config: { url } });
      const headers = { authorization: 'Bearer test', 'content-type': 'application/json' };
      await fetch(`${world.api}/repos/octo/hello/hooks`, { method: 'POST', headers, body });
    }
    const hooks = world.github.hooks.length;
    world.github.calls.length = 0;
    await world.ready(sink.url('/'));
    expect(world.github.hooks).toHaveLength(hooks);
    expect(world.github.calls.filter((call) => call.startsWith('POST'))).toEqual([]);
    const ours = world.github.hooks.filter(({ config }) => config.url === `${world.adapterUrl}/hooks/${uid}`);
    expect(ours).toMatchObject([{ id: 4151, config: { secret: 's3cret' } }]);
    expect((await world.status()).webhookIDKey).toBe('4151');
  });

  it('removed by hand is made again; edited by hand is put right; both are said', async () => {
    const { webhookIDKey: removed } = await world.ready(sink.url('/'));
    world.github.hooks.length = 0;
    await world.holds(() => expect(world.github.hooks).toHaveLength(1), 10_000);
    const [hook] = world.github.hooks;
    if (hook) hook.active = false;
    await world.holds(() => expect(world.github.hooks[0]?.active).toBe(true), 10_000);
    const events = await eventsOf();
    expect(events).toContain(`WebhookRestored: webhook ${removed} of octo/hello was gone; made again as ${hook?.id}`);
    expect(events).toContain(`WebhookRestored: webhook ${hook?.id} of octo/hello was changed at the provider`);
    expect((await world.status()).webhookIDKey).toBe(String(hook?.id));
  });

  it('moves with its owner; an organization without a slash, a private GitHub with a trailing one', async () => {
    await world.ready(sink.url('/'));
    await world.apply(world.source({ ownerAndRepository: 'octo', githubAPIURL: `${world.api}/` }));
    await world.holds(() => expect(repositories()).toEqual(['octo']), 10_000);
    await world.becomes('Ready=True');
    expect((await world.status()).ceAttributes?.[0]?.source).toBe('https://github.com/octo');
  });

  it('is one for each source, also of one repository', async () => {
    await world.ready(sink.url('/'));
    await world.apply(world.source({ eventTypes: ['star'] }, 'second'));
    await world.becomes('Ready=True', 'second');
    expect(world.github.hooks.map(({ events }) => events)).toEqual([['push', 'issues'], ['star']]);
    await world.kubectl('delete', 'githubsource', 'second', '-n', world.namespace, '--timeout=20s');
    expect(world.github.hooks.map(({ events }) => events)).toEqual([['push', 'issues']]);
  });

  it('made by hand: the first delivery makes the source ready', async () => {
    await world.broker(sink.url('/by-hand'));
    await world.apply(world.secret({ secretToken: 's3cret' }), world.source({ accessToken: undefined }));
    const { webhookURL = '' } = await world.becomes('Ready=Unknown WaitingForDelivery');
    expect(await post(webhookURL, 'wrong')).toBe(401);
    // An edit has it looked at again: the forged one did not count.
    await world.apply(world.source({ accessToken: undefined, eventTypes: ['push'] }));
    await world.holds(async () => expect((await world.status()).observedGeneration).toBe(2));
    await world.becomes('Ready=Unknown WaitingForDelivery');
    expect(await post(webhookURL, 's3cret')).toBe(202);
    await world.becomes('Ready=True');
    expect(world.github.calls).toEqual([]);
    expect(sink.received.at(-1)?.path).toBe('/by-hand');
  });
});

describe('a rotated secret', () => {
  it('twice within the overlap, GitHub down, the controller restarted: no delivery is refused', async () => {
    const { webhookURL = '' } = await world.ready(sink.url('/'));
    const replies: number[] = [];
    const deliver = async () => {
      // GitHub signs with the secret it was given last.
      const { secret = '' } = world.github.hooks[0]?.config ?? {};
      replies.push(await post(webhookURL, secret));
    };
    const sending = setInterval(() => void deliver(), 20);
    try {
      await world.apply(world.secret({ ...secrets, secretToken: 'second' }));
      await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe('second'), 10_000);
      world.github.refuse(500);
      await world.apply(world.secret({ ...secrets, secretToken: 'third' }));
      await world.becomes('Ready=False ReconciliationFailed');
      await world.controller.end('SIGKILL');
      world.startController({ HOOK_CHECK_MS: '1000' });
      await world.holds(() => expect(world.controller.log).toContain('"leading"'));
      await world.apply(world.secret({ ...secrets, secretToken: 'fourth' }));
      world.github.refuse(undefined);
      await world.holds(() => expect(world.github.hooks[0]?.config.secret).toBe('fourth'), 20_000);
      await world.becomes('Ready=True');
    } finally {
      clearInterval(sending);
    }
    await deliver();
    expect(replies.length).toBeGreaterThan(50);
    expect(replies.filter((status) => status !== 202)).toEqual([]);
    expect(await post(webhookURL, 's3cret')).toBe(202);
    expect(await post(webhookURL, 'never')).toBe(401);
  });
});
