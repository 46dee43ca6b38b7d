import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeSink } from '../support/fake-sink.ts';
import { RealWorld } from './support/real-world.ts';

let world: RealWorld;
let sink: FakeSink;
beforeEach(async () => {
  world = new RealWorld();
  sink = await FakeSink.start();
  await world.start();
});
afterEach(async () => {
  await world.stop();
  await sink.close();
});

const TAKEOVER_MS = 20_000;
const isLeading = ({ log }: { log: string }) => log.includes('"leading"');
const renewTime = () =>
  world.kubectl('get', 'lease', 'headwater-controller', '-n', 'headwater', '-o', 'jsonpath={.spec.renewTime}');

/** The Lease was renewed several times, and as often a rival asked for it. */
async function renewed(): Promise<void> {
  for (let times = 0; times < 3; times += 1) {
    const before = await renewTime();
    await world.holds(async () => expect(await renewTime()).not.toBe(before));
  }
}

describe('two controllers', () => {
  it('one leads; when it is killed the other takes over, and nothing is written twice', async () => {
    const first = world.controller;
    await world.ready(sink.url('/a'));
    const second = world.startController();
    await world.holds(() => expect(second.log).toContain('"listening"'));
    await renewed();
    await world.broker(sink.url('/b'));
    await world.holds(async () => expect((await world.status()).sinkUri).toBe(sink.url('/b')));
    expect([isLeading(first), isLeading(second)]).toEqual([true, false]);
    await first.end('SIGKILL');
    await world.holds(() => expect(isLeading(second)).toBe(true), TAKEOVER_MS);
    await world.apply(world.source({ eventTypes: ['star'] }));
    await world.holds(() => expect(world.github.hooks[0]?.events).toEqual(['star']));
    const writes = world.github.calls.filter((call) => !call.startsWith('GET '));
    expect(writes).toEqual(['POST /repos/octo/hello/hooks', 'PATCH /repos/octo/hello/hooks/4001']);
  });

  it('a leader that was frozen leaves when it wakes', async () => {
    const first = world.controller;
    await world.ready(sink.url('/a'));
    const second = world.startController();
    first.signal('SIGSTOP');
    await world.holds(() => expect(isLeading(second)).toBe(true), TAKEOVER_MS);
    first.signal('SIGCONT');
    await world.holds(() => expect(first.exitCode).toBe(1), TAKEOVER_MS);
    expect(first.log).toContain('lease lost');
  });

  it('a leader that stops gives the Lease back', async () => {
    await world.ready(sink.url('/a'));
    for (const part of world.parts.filter((one) => one !== world.adapter)) await part.end();
    // So long that nobody would wait for its end.
    const long = { LEASE_MS: '60000', LEASE_RENEW_DEADLINE_MS: '50000' };
    const first = world.startController(long);
    await world.holds(() => expect(isLeading(first)).toBe(true));
    const second = world.startController(long);
    await world.holds(() => expect(second.log).toContain('"listening"'));
    await first.end();
    await world.holds(() => expect(isLeading(second)).toBe(true), 5000);
  });
});
