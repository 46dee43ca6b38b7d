import { describe, expect, it, onTestFinished } from 'vitest';
import { EnvReader } from '../../../core/env.ts';
import { readProxies } from '../../../core/proxies.ts';
import { SimulatedGitHub } from '../../../sources/github/simulated-api.ts';
import { webhookApi } from '../../../sources/github/webhook.ts';
import { egress } from '../../support/egress.ts';
import { TestProxy } from '../../support/test-proxy.ts';

const access = { repository: 'octo/hello', token: 'good' };
const desired = { url: 'https://hooks.example.com/hooks/1', eventTypes: ['push'], secret: 's3cret' };

/** A GitHub that only the proxy finds, at `github.test`, and calls through it. */
async function aWorld({ credentials, NO_PROXY = '' }: { credentials?: string; NO_PROXY?: string } = {}) {
  const github = new SimulatedGitHub();
  const { port, pathname } = new URL(await github.start());
  onTestFinished(() => github.stop());
  const proxy = await TestProxy.start({ 'github.test': Number(port) }, credentials);
  onTestFinished(() => proxy.close());
  const proxies = readProxies(new EnvReader({ HTTP_PROXY: proxy.url, NO_PROXY }));
  const webhooks = webhookApi(egress({ allowLoopback: false, proxies }), () => new Date());
  return { github, proxy, webhooks, api: `http://github.test${pathname.replace(/\/$/, '')}` };
}

describe('an API behind a proxy', () => {
  it('has its webhooks made and read there', async () => {
    const { github, proxy, webhooks, api } = await aWorld({ credentials: 'user:s3cret-pass' });
    const made = await webhooks.create({ ...access, api }, desired, () => true);
    expect(github.hooks.map(({ config }) => config.url)).toEqual([desired.url]);
    expect(await webhooks.observe({ ...access, api }, () => true)).toMatchObject([{ id: made.id }]);
    expect(proxy.calls.map((call) => call.replace(/\?.*/, ''))).toEqual([
      `POST ${api}/repos/octo/hello/hooks`,
      `GET ${api}/repos/octo/hello/hooks`,
    ]);
  });

  it('is called directly where NO_PROXY names it', async () => {
    const { proxy, webhooks, api } = await aWorld({ NO_PROXY: 'github.test' });
    const called = webhooks.observe({ ...access, api }, () => true);
    await expect(called).rejects.toMatchObject({ trouble: 'unreachable' });
    expect(proxy.calls).toEqual([]);
  });

  it('is not called at an address that is forbidden', async () => {
    const { proxy, webhooks } = await aWorld();
    const called = webhooks.observe({ ...access, api: 'http://169.254.169.254' }, () => true);
    await expect(called).rejects.toMatchObject({ trouble: 'invalid' });
    expect(proxy.calls).toEqual([]);
  });

  it('is unreachable while the proxy is down, which is said', async () => {
    const { proxy, webhooks, api } = await aWorld();
    const { host } = new URL(proxy.url);
    await proxy.close();
    const called = webhooks.observe({ ...access, api }, () => true);
    await expect(called).rejects.toMatchObject({
      trouble: 'unreachable',
      message: expect.stringContaining(`ECONNREFUSED ${host}`),
    });
  });

  it('is unreachable where the proxy wants other credentials, which is said without them', async () => {
    const { proxy, webhooks, api } = await aWorld({ credentials: 'user:s3cret-pass' });
    const typo = readProxies(new EnvReader({ HTTP_PROXY: proxy.url.replace('pass', 'typo') }));
    const wrong = webhookApi(egress({ proxies: typo }), () => new Date());
    const error: unknown = await wrong.observe({ ...access, api }, () => true).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ trouble: 'unreachable', message: expect.stringContaining('407') });
    expect(String(error)).not.toContain('s3cret');
    await expect(webhooks.observe({ ...access, api }, () => true)).resolves.toEqual([]);
  });
});
