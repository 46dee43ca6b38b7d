import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { anAdapter, aSink, FAST, stopParts } from '../support/parts.ts';

afterEach(stopParts);

/** A port where nobody listens. */
async function aClosedPort(): Promise<number> {
  const sink = await FakeSink.start();
  const { port } = sink;
  await sink.close();
  return port;
}

describe("Knative's status table", () => {
  const accepted = [200, 201, 202, 204, 299].map((status) => ({ status, attempts: 1, reply: 202 }));
  const refused = [301, 302, 307, 400, 401, 403, 405, 410, 413, 415, 422].map((status) => ({
    status,
    attempts: 1,
    reply: 502,
  }));
  const passing = [404, 408, 409, 429, 500, 501, 502, 503, 504].map((status) => ({ status, attempts: 4, reply: 503 }));
  for (const { status, attempts, reply } of [...accepted, ...refused, ...passing]) {
    it(`a sink that answers ${status} gets ${attempts} request(s), the provider ${reply}`, async () => {
      const sink = await aSink(status);
      const adapter = await anAdapter({ sink: { url: sink.url() } });
      expect((await post(adapter, aDelivery())).status).toBe(reply);
      expect(sink.received).toHaveLength(attempts);
      expect(new Set(sink.received.map(({ headers }) => headers['ce-id'])).size).toBe(1);
    });
  }

  it('a passing fault is got over', async () => {
    const sink = await aSink(503, 500, 429, 202);
    const adapter = await anAdapter({ sink: { url: sink.url() } });
    expect((await post(adapter, aDelivery())).text).toBe('kept\n');
    expect(sink.received).toHaveLength(4);
  });

  it('a connection that is cut is tried again', async () => {
    const sink = await aSink();
    sink.answer((response, _received, index) =>
      index === 0 ? void response.destroy() : void response.writeHead(202).end(),
    );
    const adapter = await anAdapter({ sink: { url: sink.url() } });
    expect((await post(adapter, aDelivery())).status).toBe(202);
    expect(sink.received).toHaveLength(2);
  });

  it('spec.delivery.retry says how often', async () => {
    const sink = await aSink(503);
    const adapter = await anAdapter({ sink: { url: sink.url() }, delivery: { ...FAST, retry: 1 } });
    expect((await post(adapter, aDelivery())).status).toBe(503);
    expect(sink.received).toHaveLength(2);
  });

  it('a redirect is not followed', async () => {
    const elsewhere = await aSink(202);
    const sink = await aSink();
    sink.answer((response) => void response.writeHead(307, { location: elsewhere.url() }).end());
    const adapter = await anAdapter({ sink: { url: sink.url() } });
    expect((await post(adapter, aDelivery())).status).toBe(502);
    expect(elsewhere.received).toHaveLength(0);
  });

  it('nobody listening: 503', async () => {
    const adapter = await anAdapter({ sink: { url: `http://127.0.0.1:${await aClosedPort()}/` } });
    const reply = await post(adapter, aDelivery());
    expect(reply.status).toBe(503);
    expect(reply.text).not.toMatch(/127|ECONN/);
    expect(adapter.lines.at(-1)).toMatchObject({ level: 40, outcome: 'undelivered', detail: 'sink: ECONNREFUSED' });
  });
});

describe('time', () => {
  it('one attempt ends after spec.delivery.timeout, and the next is made', async () => {
    const sink = await aSink();
    sink.answer((response, _received, index) => void (index > 0 && response.writeHead(202).end()));
    const adapter = await anAdapter({ sink: { url: sink.url() }, delivery: { ...FAST, timeout: 'PT0.05S' } });
    expect((await post(adapter, aDelivery())).status).toBe(202);
    expect(sink.received).toHaveLength(2);
  });

  it('the budget bounds all attempts together', async () => {
    const sink = await aSink();
    sink.answer(() => undefined);
    const adapter = await anAdapter(
      { sink: { url: sink.url() } },
      { DELIVERY_BUDGET_MS: '300', ATTEMPT_TIMEOUT_MS: '200' },
    );
    const start = performance.now();
    expect((await post(adapter, aDelivery())).status).toBe(503);
    expect(performance.now() - start).toBeLessThan(1500);
    expect(sink.received).toHaveLength(2);
  });

  it('the budget begins with the arrival, not with the end of the body', async () => {
    const sink = await aSink(202);
    const adapter = await anAdapter({ sink: { url: sink.url() } }, { DELIVERY_BUDGET_MS: '200' });
    const { headers, body } = aDelivery();
    const reply = await new Promise<number>((resolve) => {
      const call = request(adapter.url('/hooks/0a1b2c3d'), { method: 'POST', headers }, (response) =>
        resolve(response.statusCode ?? 0),
      );
      call.write(body.subarray(0, 1));
      setTimeout(() => call.end(body.subarray(1)), 300);
    });
    expect(reply).toBe(503);
    expect(sink.received).toHaveLength(0);
  });

  it('a wait that does not fit the budget is not begun', async () => {
    const sink = await aSink(503);
    const delivery = { backoffPolicy: 'linear', backoffDelay: 'PT60S' } as const;
    const adapter = await anAdapter({ sink: { url: sink.url() }, delivery }, { DELIVERY_BUDGET_MS: '500' });
    expect((await post(adapter, aDelivery())).status).toBe(503);
    // Linear: the first wait is none, the second a minute.
    expect(sink.received).toHaveLength(2);
  });

  const retryAfterRows = [
    { name: 'is not honoured by default', delivery: {}, waits: false },
    { name: 'is honoured up to retryAfterMax', delivery: { retryAfterMax: 'PT0.3S' }, waits: true },
    { name: 'is not honoured with retryAfterMax zero', delivery: { retryAfterMax: 'PT0S' }, waits: false },
    { name: 'of a 500 is not honoured', delivery: { retryAfterMax: 'PT0.3S' }, status: 500, waits: false },
  ];
  for (const { name, delivery, status = 503, waits } of retryAfterRows) {
    it(`Retry-After ${name}`, async () => {
      const sink = await aSink();
      sink.answer(
        (response, _received, index) => void response.writeHead(index ? 202 : status, { 'retry-after': '30' }).end(),
      );
      const adapter = await anAdapter({ sink: { url: sink.url() }, delivery: { ...FAST, ...delivery } });
      expect((await post(adapter, aDelivery())).status).toBe(202);
      const [first, second] = sink.received;
      expect((second?.at ?? 0) - (first?.at ?? 0) >= 290).toBe(waits);
    });
  }
});

describe('the dead-letter sink', () => {
  it("gets what the sink refused, with Knative's extensions and the same bytes", async () => {
    const sink = await aSink(400);
    const deadLetters = await aSink(202);
    const adapter = await anAdapter({
      sink: { url: sink.url('/in?x=1') },
      deadLetterSink: { url: deadLetters.url('/dead') },
    });
    const delivery = aDelivery({ payload: Buffer.from('{"a": 1.0}') });
    expect(await post(adapter, delivery)).toMatchObject({ status: 202, text: 'kept\n' });
    expect(sink.received).toHaveLength(1);
    const [dead] = deadLetters.received;
    expect(dead?.body.equals(delivery.data)).toBe(true);
    expect(dead?.path).toBe('/dead');
    expect(dead?.headers).toMatchObject({
      'ce-id': delivery.id,
      'ce-knativeerrordest': sink.url('/in?x=1'),
      'ce-knativeerrorcode': '400',
      'ce-knativeerrordata': Buffer.from('text of the sink').toString('base64'),
    });
  });

  it('gets it at once after a refusal for good, after the retries otherwise', async () => {
    const sink = await aSink(503);
    const deadLetters = await aSink(202);
    const adapter = await anAdapter({ sink: { url: sink.url() }, deadLetterSink: { url: deadLetters.url() } });
    expect((await post(adapter, aDelivery())).status).toBe(202);
    expect(sink.received).toHaveLength(4);
    expect(deadLetters.received[0]?.headers['ce-knativeerrorcode']).toBe('503');
  });

  it('is told why there was no answer, where the sink gave none', async () => {
    const deadLetters = await aSink(202);
    const sink = { url: `http://127.0.0.1:${await aClosedPort()}/` };
    const adapter = await anAdapter({ sink, deadLetterSink: { url: deadLetters.url() } });
    expect((await post(adapter, aDelivery())).status).toBe(202);
    expect(deadLetters.received[0]?.headers).toMatchObject({
      'ce-knativeerrorcode': '500',
      'ce-knativeerrordata': Buffer.from('dispatch error: ECONNREFUSED').toString('base64'),
    });
  });

  it('is tried again as the sink is', async () => {
    const sink = await aSink(400);
    const deadLetters = await aSink(503, 503, 202);
    const adapter = await anAdapter({ sink: { url: sink.url() }, deadLetterSink: { url: deadLetters.url() } });
    expect(await post(adapter, aDelivery())).toMatchObject({ status: 202, text: 'kept\n' });
    expect([sink.received.length, deadLetters.received.length]).toEqual([1, 3]);
    expect(await adapter.metric('headwater_sink_attempts_total')).toBe(4);
    expect(await adapter.metric('headwater_dead_lettered_total')).toBe(1);
  });

  it('has its part of the budget though the sink hangs', async () => {
    const sink = await aSink();
    sink.answer(() => undefined);
    const deadLetters = await aSink(202);
    const adapter = await anAdapter(
      { sink: { url: sink.url() }, deadLetterSink: { url: deadLetters.url() } },
      { DELIVERY_BUDGET_MS: '600', DEAD_LETTER_RESERVE_MS: '400', ATTEMPT_TIMEOUT_MS: '5000' },
    );
    expect((await post(adapter, aDelivery())).status).toBe(202);
    expect(deadLetters.received[0]?.headers).toMatchObject({ 'ce-knativeerrorcode': '500' });
  });

  it('is asked only after the sink, however short the budget', async () => {
    const sink = await aSink(202);
    const deadLetters = await aSink(202);
    const adapter = await anAdapter(
      { sink: { url: sink.url() }, deadLetterSink: { url: deadLetters.url() } },
      { DEAD_LETTER_RESERVE_MS: '9000' },
    );
    expect((await post(adapter, aDelivery())).status).toBe(202);
    expect([sink.received.length, deadLetters.received.length]).toEqual([1, 0]);
  });

  it('leaves a warning in the log, with what the sink did', async () => {
    const sink = await aSink(400);
    const deadLetters = await aSink(202);
    const adapter = await anAdapter({ sink: { url: sink.url() }, deadLetterSink: { url: deadLetters.url() } });
    await post(adapter, aDelivery());
    expect(adapter.lines).toContainEqual(
      expect.objectContaining({ level: 40, outcome: 'kept', deadLettered: 'sink: answered 400' }),
    );
  });

  it('cuts the error data at 1024 characters', async () => {
    const sink = await aSink();
    sink.answer((response) => void response.writeHead(422).end('x'.repeat(5000)));
    const deadLetters = await aSink(202);
    const adapter = await anAdapter({ sink: { url: sink.url() }, deadLetterSink: { url: deadLetters.url() } });
    await post(adapter, aDelivery());
    const data = Buffer.from('x'.repeat(5000)).toString('base64').slice(0, 1024);
    expect(deadLetters.received[0]?.headers['ce-knativeerrordata']).toBe(data);
  });

  it('failing too: 503, whatever the sink said', async () => {
    const sink = await aSink(400);
    const deadLetters = await aSink(400);
    const adapter = await anAdapter({ sink: { url: sink.url() }, deadLetterSink: { url: deadLetters.url() } });
    expect((await post(adapter, aDelivery())).status).toBe(503);
  });
});

describe('attributes of the route', () => {
  it('ceOverrides add extensions and replace those of the provider', async () => {
    const sink = await aSink(202);
    const ceOverrides = {
      extensions: { team: 'blue', sender: 'someone', subject: 'mine', time: '2026-01-01T00:00:00Z' },
    };
    const adapter = await anAdapter({ sink: { url: sink.url() }, ceOverrides });
    await post(
      adapter,
      aDelivery({ payload: { action: 'opened', issue: { number: 7 }, sender: { login: 'octocat' } } }),
    );
    const [received] = sink.received;
    expect(received?.headers).toMatchObject({
      'ce-team': 'blue',
      'ce-sender': 'someone',
      'ce-subject': 'mine',
      'ce-time': '2026-01-01T00:00:00Z',
    });
    expect(received?.rawHeaders.filter((name) => name === 'ce-time')).toHaveLength(1);
    expect(received?.rawHeaders.filter((name) => name === 'ce-sender')).toHaveLength(1);
  });
});
