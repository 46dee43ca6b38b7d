import { afterEach, expect, it } from 'vitest';
import { EnvReader } from '../../core/env.ts';
import { readProxies } from '../../core/proxies.ts';
import { HeadwaterProcess } from '../support/headwater.ts';
import { deliver, LocalDev } from '../support/local-dev.ts';
import { aSink, stopAfterwards, stopParts } from '../support/parts.ts';
import { TestProxy } from '../support/test-proxy.ts';

afterEach(stopParts);

it('headwater dev calls provider and sinks through the proxy, and what is on this machine directly', async () => {
  const local = await LocalDev.open();
  stopAfterwards(() => local.end());
  const [far, near] = [await aSink(202), await aSink(202)];
  const { port, pathname } = new URL(local.api);
  const proxy = await TestProxy.start({ 'github.test': Number(port), 'sink.test': far.port });
  stopAfterwards(() => proxy.close());
  const githubAPIURL = `http://github.test${pathname}`;
  await local.write(
    'all.yaml',
    local.secret(),
    local.source({ githubAPIURL, sink: { uri: 'http://sink.test/in' } }),
    local.source({ sink: { uri: near.url() } }, 'near'),
  );
  await local.start({ proxies: readProxies(new EnvReader({ HTTP_PROXY: proxy.url })) });
  await local.becomes('Ready=True');
  await expect.poll(() => local.hooks().toSorted()).toHaveLength(2);
  const paths = local.hooks().map((hook) => new URL(hook.split(' ')[1] ?? '').pathname);
  for (const path of paths) expect(await deliver(local.url('adapter') + path)).toMatchObject({ status: 202 });
  expect([far.received.length, near.received.length]).toEqual([1, 1]);
  const [first] = proxy.calls;
  expect(first).toMatch(/^GET http:\/\/github\.test.*\/repos\/octo\/hello\/hooks/);
  expect(proxy.calls).toContain('POST http://sink.test/in');
  expect(proxy.calls.filter((call) => call.includes('near') || call.includes('127.0.0.1'))).toEqual([]);
});

it('headwater dev says what is wrong with the variables', async () => {
  const env = { HTTPS_PROXY: 'socks5://x', NO_PROXY: '10.*' };
  const ended = await HeadwaterProcess.run(['dev', '-f', '.', '--simulate'], { env });
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/HTTPS_PROXY must be the URL .*\n.*NO_PROXY must be .*"10\.\*" is none/);
});
