import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Env } from '../../core/env.ts';
import { aDelivery, post } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { anAdapter, aSink, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestProxy } from '../support/test-proxy.ts';

afterEach(stopParts);

const tls = (name: string) => readFileSync(join(import.meta.dirname, '../support/tls', name), 'utf8');

async function aTlsSink(): Promise<FakeSink> {
  const sink = await FakeSink.start(createServer({ key: tls('server.key'), cert: tls('server.pem') }));
  sink.answerWith(202);
  stopAfterwards(() => sink.close());
  return sink;
}

/** Knows `sink.test`, and nothing else. */
async function aProxyTo(sink: FakeSink, credentials?: string): Promise<TestProxy> {
  const proxy = await TestProxy.start({ 'sink.test': sink.port }, credentials);
  stopAfterwards(() => proxy.close());
  return proxy;
}

const HTTP_SINK = 'http://sink.test/in?x=1';
const HTTPS_SINK = 'https://sink.test/in?x=1';

async function adapterFor(url: string, proxy: string, env: Env = {}) {
  const sink = { url, ...(url.startsWith('https:') && { CACerts: tls('ca.pem') }), token: 'abc.def' };
  return anAdapter(
    { sink, delivery: { retry: 1, backoffDelay: 'PT0.005S' } },
    { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ...env },
  );
}

const detailOf = ({ lines }: { lines: readonly Readonly<Record<string, unknown>>[] }) =>
  lines.find(({ msg }) => msg === 'delivery')?.['detail'];

describe('a sink behind a proxy', () => {
  const kinds = [
    {
      name: 'http, for which the proxy is asked for the whole URL',
      url: HTTP_SINK,
      start: () => aSink(202),
      call: `POST ${HTTP_SINK}`,
    },
    {
      name: 'https, through a tunnel, with its CACerts',
      url: HTTPS_SINK,
      start: aTlsSink,
      call: 'CONNECT sink.test:443',
    },
  ];
  for (const { name, url, start, call } of kinds) {
    describe(name, () => {
      it('gets the event as it is, on a connection that is used again', async () => {
        const sink = await start();
        const proxy = await aProxyTo(sink);
        const adapter = await adapterFor(url, proxy.url);
        const delivery = aDelivery();
        expect((await post(adapter, delivery)).status).toBe(202);
        for (const _ of [1, 2]) expect((await post(adapter, aDelivery())).status).toBe(202);
        const [first] = sink.received;
        expect(first?.body.equals(delivery.body)).toBe(true);
        expect(first?.path).toBe('/in?x=1');
        expect(first?.headers).toMatchObject({
          host: 'sink.test',
          authorization: 'Bearer abc.def',
          'ce-specversion': '1.0',
        });
        expect(new Set(proxy.calls)).toEqual(new Set([call]));
        expect(sink.received).toHaveLength(3);
        expect(sink.connections).toBe(1);
      });

      it('with credentials, which the sink does not see and nothing logs', async () => {
        const sink = await start();
        const proxy = await aProxyTo(sink, 'user:s3cret-pass');
        const adapter = await adapterFor(url, proxy.url);
        expect((await post(adapter, aDelivery())).status).toBe(202);
        expect(sink.received[0]?.headers['proxy-authorization']).toBeUndefined();
        expect(JSON.stringify(adapter.lines)).not.toMatch(/s3cret|user/);
      });

      it('is not reached with the wrong ones, which is tried again and answered with 503', async () => {
        const sink = await start();
        const proxy = await aProxyTo(sink, 'user:pass');
        const adapter = await adapterFor(url, proxy.url.replace('user:pass', 'user:s3cret-typo'));
        expect((await post(adapter, aDelivery())).status).toBe(503);
        expect(proxy.calls).toHaveLength(2);
        expect(sink.received).toEqual([]);
        expect(detailOf(adapter)).toContain('407');
        expect(JSON.stringify(adapter.lines)).not.toContain('s3cret');
      });

      it('is not reached while the proxy is down', async () => {
        const sink = await start();
        const proxy = await aProxyTo(sink);
        const { url: proxyUrl } = proxy;
        const adapter = await adapterFor(url, proxyUrl);
        await proxy.close();
        expect((await post(adapter, aDelivery())).status).toBe(503);
        expect(detailOf(adapter)).toBe(
          `sink: by proxy ${proxyUrl}: connect ECONNREFUSED ${proxyUrl.replace('http://', '')}`,
        );
      });

      it('is not waited for longer than an attempt takes when the proxy says nothing', async () => {
        const sink = await start();
        const proxy = await aProxyTo(sink);
        proxy.silent = true;
        const adapter = await adapterFor(url, proxy.url, { ATTEMPT_TIMEOUT_MS: '200' });
        expect((await post(adapter, aDelivery())).status).toBe(503);
        await expect.poll(() => adapter.metric('headwater_buffered_bytes'), { timeout: 5000 }).toBe(0);
        proxy.silent = false;
        expect((await post(adapter, aDelivery())).status).toBe(202);
      });

      it('is called directly where NO_PROXY names it', async () => {
        const proxy = await aProxyTo(await start());
        const adapter = await adapterFor(url, proxy.url, { NO_PROXY: 'example.com,.test' });
        expect((await post(adapter, aDelivery())).status).toBe(503);
        // Nobody else knows the name.
        expect(detailOf(adapter)).toMatch(/ENOTFOUND|EAI_AGAIN/);
        expect(proxy.calls).toEqual([]);
      });
    });
  }

  it('is not trusted without its CACerts', async () => {
    const sink = await aTlsSink();
    const proxy = await aProxyTo(sink);
    const adapter = await anAdapter({ sink: { url: HTTPS_SINK }, delivery: { retry: 0 } }, { HTTPS_PROXY: proxy.url });
    expect((await post(adapter, aDelivery())).status).toBe(503);
    expect(detailOf(adapter)).toMatch(/^sink: by proxy .*(certificate|self-signed)/);
    expect(sink.received).toEqual([]);
  });

  it('is not called where its address is forbidden, proxy or not', async () => {
    const proxy = await aProxyTo(await aSink(202));
    for (const url of ['http://169.254.169.254/latest', 'https://[fe80::1]/']) {
      const adapter = await adapterFor(url, proxy.url);
      expect((await post(adapter, aDelivery())).status).toBe(503);
      expect(detailOf(adapter)).toContain('link-local');
    }
    expect(proxy.calls).toEqual([]);
  });

  it('answers for itself: what the proxy says in its place counts as its answer', async () => {
    const proxy = await aProxyTo(await aSink(202));
    const adapter = await adapterFor('http://unknown.test/', proxy.url);
    expect((await post(adapter, aDelivery())).status).toBe(502);
    expect(detailOf(adapter)).toBe('sink: answered 403');
  });

  it('is refused by the proxy: no tunnel, tried again', async () => {
    const proxy = await aProxyTo(await aSink(202));
    const adapter = await adapterFor('https://unknown.test/', proxy.url);
    expect((await post(adapter, aDelivery())).status).toBe(503);
    expect(proxy.calls).toHaveLength(2);
    expect(detailOf(adapter)).toMatch(/^sink: by proxy .*403/);
  });
});

describe('a sink that is no business of a proxy', () => {
  it('is called directly: this machine', async () => {
    const sink = await aSink(202);
    const proxy = await aProxyTo(sink);
    const adapter = await adapterFor(sink.url(), proxy.url);
    expect((await post(adapter, aDelivery())).status).toBe(202);
    expect(proxy.calls).toEqual([]);
  });
});
