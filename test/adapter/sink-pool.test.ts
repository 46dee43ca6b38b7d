import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
import { BufferedBytes, HeldBytes } from '../../adapter/body.ts';
import { type Answer, postToSink } from '../../adapter/sink.ts';
import { SinkPools, sinkOf } from '../../adapter/sink-pools.ts';
import { AddressGuard } from '../../core/address-guard.ts';
import { NO_PROXIES } from '../../core/proxies.ts';
import { aSink, stopAfterwards, stopParts } from '../support/parts.ts';

afterEach(stopParts);

function somePools(connectionsPerSink: number, guard = new AddressGuard({ allowLoopback: true })): SinkPools {
  const pools = new SinkPools({ guard, proxies: NO_PROXIES, connectionsPerSink, connectTimeoutMs: 1000 });
  stopAfterwards(() => pools.close());
  return pools;
}

function aMessage(data: Buffer = Buffer.from('x'), headers: readonly string[] = []) {
  return { headers, data, held: new HeldBytes(new BufferedBytes(1e9)) };
}

function statusOf(answer: Answer): number | string {
  return answer.kind === 'answered' ? answer.status : answer.error.name;
}

/** A guard under which connecting to a host by name takes until the time for it is over, as with packets that get lost. */
class BlackHole extends AddressGuard {
  override readonly lookup = () => undefined;
}

describe('connections to one sink', () => {
  it('are as many as allowed; the other requests get theirs in turn', async () => {
    const sink = await aSink(202);
    const pools = somePools(2);
    const order: number[] = [];
    const requests = Array.from({ length: 20 }, (_, index) =>
      postToSink(pools, sinkOf({ url: sink.url() }), aMessage(), 5000).then(() => order.push(index)),
    );
    await Promise.all(requests);
    expect(sink.connections).toBe(2);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });

  it('are not lost to requests that cannot be sent', async () => {
    const sink = await aSink(202);
    const pools = somePools(1);
    const to = sinkOf({ url: sink.url() });
    const broken = Array.from({ length: 3 }, () => postToSink(pools, to, aMessage(undefined, ['x', 'a\nb']), 1000));
    expect((await Promise.all(broken)).map(statusOf)).toEqual(Array(3).fill('InvalidArgumentError'));
    expect(statusOf(await postToSink(pools, to, aMessage(), 1000))).toBe(202);
  });

  it('are given up when the sink answers and does not read', async () => {
    const sockets: Socket[] = [];
    const deaf = createServer((socket) => {
      sockets.push(socket.pause());
      socket.on('error', () => undefined).write('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n');
    }).listen(0, '127.0.0.1');
    stopAfterwards(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => deaf.close(resolve));
    });
    await once(deaf, 'listening');
    const to = sinkOf({ url: `http://127.0.0.1:${(deaf.address() as AddressInfo).port}/` });
    const pools = somePools(1);
    for (let index = 0; index < 3; index += 1) {
      expect(statusOf(await postToSink(pools, to, aMessage(Buffer.alloc(20_000_000)), 2000))).toBe(202);
    }
    expect(sockets).toHaveLength(3);
  });

  it('are closed when no route has the sink any more, once nobody waits for one', async () => {
    const [kept, gone] = [await aSink(202), await aSink(202)];
    const pools = somePools(1);
    const sinks = [kept, gone].map((sink) => sinkOf({ url: sink.url() }));
    const requests = [...sinks, ...sinks].map((sink) => postToSink(pools, sink, aMessage(), 1000));
    pools.retain(sinks.slice(0, 1));
    expect((await Promise.all(requests)).map(statusOf)).toEqual([202, 202, 202, 202]);
    await expect.poll(() => [kept.sockets.size, gone.sockets.size]).toEqual([1, 0]);
  });
});

describe('a sink that cannot be reached', () => {
  it('holds no more bodies than it has connections', async () => {
    const pools = somePools(2, new BlackHole({ allowLoopback: true }));
    const to = sinkOf({ url: 'http://sink.test/' });
    const answers: (number | string)[] = [];
    const bodies = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const data = Buffer.alloc(1000);
        answers.push(statusOf(await postToSink(pools, to, aMessage(data), 50)));
        return new WeakRef(data);
      }),
    );
    expect(answers).toEqual(Array(20).fill('AttemptTimeoutError'));
    setFlagsFromString('--expose_gc');
    const collect = runInNewContext('gc') as () => void;
    const countHeld = () => {
      collect();
      return bodies.filter((body) => body.deref() !== undefined).length;
    };
    await expect.poll(countHeld).toBeLessThanOrEqual(2);
  });

  it('holds a body, counted, until the attempt to connect has ended', async () => {
    const pools = somePools(1, new BlackHole({ allowLoopback: true }));
    const room = new BufferedBytes(1000);
    const held = new HeldBytes(room);
    held.add(10);
    const answer = await postToSink(pools, sinkOf({ url: 'http://sink.test/' }), { ...aMessage(), held }, 50);
    held.letGo();
    expect([statusOf(answer), room.held]).toEqual(['AttemptTimeoutError', 10]);
    await expect.poll(() => room.held, { timeout: 3000 }).toBe(0);
  });
});
