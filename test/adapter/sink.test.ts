import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { aRoute } from '../support/builders.ts';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { anAdapter, aSink, FAST, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestAdapter } from '../support/test-adapter.ts';

afterEach(stopParts);

describe('what a sink sends back', () => {
  it('early hints are no answer', async () => {
    const sink = await aSink();
    sink.answer((response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' });
      response.writeHead(202).end();
    });
    const adapter = await anAdapter({ sink: { url: sink.url() } });
    expect((await post(adapter, aDelivery())).status).toBe(202);
  });

  it('an event as reply changes nothing', async () => {
    const sink = await aSink();
    sink.answer((response) => void response.writeHead(200, { 'ce-id': 'x', 'ce-type': 'y' }).end('{"reply":1}'));
    const adapter = await anAdapter({ sink: { url: sink.url() } });
    expect(await post(adapter, aDelivery())).toMatchObject({ status: 202, text: 'kept\n' });
  });

  it('a reply without end is not waited for, and its connection is dropped', async () => {
    const sink = await aSink();
    const closed = new Promise<void>((resolve) => {
      sink.answer((response) => {
        response.once('close', resolve).writeHead(202);
        const block = Buffer.alloc(64 * 1024);
        const more = () => {
          while (response.write(block));
          response.once('drain', more);
        };
        more();
      });
    });
    const adapter = await anAdapter(
      { sink: { url: sink.url() } },
      { ATTEMPT_TIMEOUT_MS: '60000', DELIVERY_BUDGET_MS: '60000' },
    );
    expect((await post(adapter, aDelivery())).status).toBe(202);
    await closed;
  });

  it('an error whose text never ends counts as that error', async () => {
    const sink = await aSink();
    sink.answer((response) => void response.writeHead(400).write('half of'));
    const adapter = await anAdapter({ sink: { url: sink.url() } }, { ATTEMPT_TIMEOUT_MS: '100' });
    expect((await post(adapter, aDelivery())).status).toBe(502);
  });
});

describe('connections', () => {
  it('are used again', async () => {
    const sink = await aSink(202);
    const adapter = await anAdapter({ sink: { url: sink.url() } });
    for (let index = 0; index < 20; index += 1) expect((await post(adapter, aDelivery())).status).toBe(202);
    expect(sink.connections).toBe(1);
  });

  it('are used again after an error with a text', async () => {
    const sink = await aSink(500, 500, 500, 202);
    const adapter = await anAdapter({ sink: { url: sink.url() } });
    expect((await post(adapter, aDelivery())).status).toBe(202);
    expect(sink.connections).toBe(1);
  });

  it('count what they hold, also after the reply', async () => {
    const sink = await aSink();
    sink.answer((response) => void response.writeHead(202).write('more to come'));
    const adapter = await anAdapter({ sink: { url: sink.url() } }, { ATTEMPT_TIMEOUT_MS: '1000' });
    const held = () => adapter.metric('headwater_buffered_bytes');
    const delivery = aDelivery();
    expect((await post(adapter, delivery)).status).toBe(202);
    expect(await held()).toBe(delivery.body.length);
    await expect.poll(held, { timeout: 3000 }).toBe(0);
  });

  it('to a sink that no route has any more are closed', async () => {
    const [former, next] = [await aSink(202), await aSink(202)];
    const adapter = await TestAdapter.start([aRoute({ sink: { url: former.url() } })], {}, { poolSweepMs: 50 });
    stopAfterwards(() => adapter.stop());
    expect((await post(adapter, aDelivery())).status).toBe(202);
    await adapter.write(aRoute({ generation: 2, sink: { url: next.url() } }));
    await expect.poll(async () => (await adapter.stateOf('0a1b2c3d'))?.generation).toBe(2);
    // Well before either side closes it for being idle.
    await expect.poll(() => former.sockets.size, { timeout: 1000 }).toBe(0);
    expect((await post(adapter, aDelivery())).status).toBe(202);
  });

  it('are not kept waiting for: an attempt whose time is over is never sent', async () => {
    const sink = await aSink();
    sink.answer(() => undefined);
    const route = (uid: string, timeout: string) =>
      aRoute({ uid, name: uid, sink: { url: sink.url() }, delivery: { retry: 0, timeout } });
    const routes = [route('patient', 'PT1S'), route('hasty', 'PT0.1S')];
    const adapter = await TestAdapter.start(routes, { CONNECTIONS_PER_SINK: '1' });
    stopAfterwards(() => adapter.stop());
    const first = post(adapter, aDelivery(), 'patient');
    await sink.waitFor(1);
    const others = await Promise.all([1, 2].map(() => post(adapter, aDelivery(), 'hasty')));
    expect([await first, ...others].map(({ status }) => status)).toEqual([503, 503, 503]);
    sink.answerWith(202);
    expect((await post(adapter, aDelivery(), 'patient')).status).toBe(202);
    expect(sink.received).toHaveLength(2);
  });

  it('carry the token of the sink', async () => {
    const sink = await aSink(202);
    const adapter = await anAdapter({ sink: { url: sink.url(), token: 'abc.def' } });
    await post(adapter, aDelivery());
    expect(sink.received[0]?.headers.authorization).toBe('Bearer abc.def');
  });
});

describe('TLS', () => {
  const tls = (name: string) => readFileSync(join(import.meta.dirname, '../support/tls', name));
  const aTlsSink = async () => {
    const sink = await FakeSink.start(createServer({ key: tls('server.key'), cert: tls('server.pem') }));
    stopAfterwards(() => sink.close());
    return sink;
  };

  it('trusts the CACerts of the sink', async () => {
    const sink = await aTlsSink();
    const CACerts = tls('ca.pem').toString();
    const adapter = await anAdapter({ sink: { url: `https://127.0.0.1:${sink.port}/`, CACerts } });
    expect((await post(adapter, aDelivery())).status).toBe(202);
  });

  it('does not trust an unknown authority, nor one given for another sink', async () => {
    const sink = await aTlsSink();
    const url = `https://127.0.0.1:${sink.port}/`;
    const known = aRoute({
      uid: 'known',
      name: 'known',
      sink: { url, CACerts: tls('ca.pem').toString() },
      delivery: FAST,
    });
    const adapter = await TestAdapter.start([known, aRoute({ sink: { url }, delivery: FAST })]);
    stopAfterwards(() => adapter.stop());
    expect((await post(adapter, aDelivery(), 'known')).status).toBe(202);
    expect((await post(adapter, aDelivery())).status).toBe(503);
    expect(sink.received).toHaveLength(1);
  });
});

describe('forbidden addresses', () => {
  for (const host of ['127.0.0.1', 'localhost', '127.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]']) {
    it(`loopback as ${host} is not called where it is not allowed`, async () => {
      const sink = await aSink(202);
      const adapter = await anAdapter(
        { sink: { url: `http://${host}:${sink.port}/` } },
        { ALLOW_LOOPBACK_SINKS: 'false' },
      );
      expect((await post(adapter, aDelivery())).status).toBe(503);
      expect(sink.connections).toBe(0);
      expect(adapter.lines).toContainEqual(
        expect.objectContaining({
          detail: expect.stringMatching(/loopback address.*ALLOW_LOOPBACK_SINKS=true/),
          attempts: 1,
        }),
      );
    });
  }

  for (const host of ['0.0.0.0', '[::]', '0']) {
    it(`unspecified as ${host} is never called, though it would reach this machine`, async () => {
      const sink = await aSink(202);
      const adapter = await anAdapter({ sink: { url: `http://${host}:${sink.port}/` } });
      expect((await post(adapter, aDelivery())).status).toBe(503);
      expect(sink.connections).toBe(0);
    });
  }
});
