import { describe, expect, it } from 'vitest';
import { readControllerConfig } from '../../controller/config.ts';

const read = (env: Readonly<Record<string, string>>) => readControllerConfig(env, 'pod');

describe('adapters of single sources', () => {
  it('are none without an image', () => {
    expect(read({})).toMatchObject({ dedicated: undefined, adapterMode: 'shared', moveOverlapMs: 60_000 });
  });

  it('have an image and settings', () => {
    const env = {
      ADAPTER_IMAGE: 'x:1',
      ADAPTER_ENV: 'LOG_LEVEL=debug, DELIVERY_BUDGET_MS=7000',
      ADAPTER_MODE: 'dedicated',
    };
    expect(read(env)).toMatchObject({
      dedicated: { image: 'x:1', env: { LOG_LEVEL: 'debug', DELIVERY_BUDGET_MS: '7000' } },
      adapterMode: 'dedicated',
    });
  });

  it("have the controller's proxies, which have commas, unless they have others", () => {
    const proxies = {
      https_proxy: 'http://proxy:3128',
      HTTP_PROXY: 'http://plain:3128',
      NO_PROXY: '.a.example,10.0.0.0/8',
    };
    const { HTTP_PROXY, NO_PROXY, https_proxy } = proxies;
    const envOf = (env: object) => read({ ADAPTER_IMAGE: 'x:1', ...proxies, ...env }).dedicated?.env;
    expect(envOf({})).toEqual({ HTTP_PROXY, HTTPS_PROXY: https_proxy, NO_PROXY });
    expect(envOf({ ADAPTER_ENV: 'http_proxy=http://own:1,HTTPS_PROXY=' })).toEqual({
      http_proxy: 'http://own:1',
      HTTPS_PROXY: '',
      NO_PROXY,
    });
  });

  it('are refused with whatever else is wrong', () => {
    const env = { ADAPTER_MODE: 'dedicated', NO_PROXY: 'a/b' };
    expect(() => read(env)).toThrow(/NO_PROXY must be .*; ADAPTER_MODE can be/);
  });

  const refusals = [
    { env: { ADAPTER_MODE: 'dedicated' }, says: 'ADAPTER_MODE can be dedicated only with ADAPTER_IMAGE' },
    { env: { ADAPTER_ENV: 'PORT=1,LOG_LEVEL=info,ROUTES_DIR=/x' }, says: 'ADAPTER_ENV must not name PORT, ROUTES_DIR' },
    { env: { ADAPTER_ENV: 'LOG_LEVEL' }, says: 'ADAPTER_ENV must be NAME=value, separated by commas, not "LOG_LEVEL"' },
    { env: { ADAPTER_MODE: 'own' }, says: 'ADAPTER_MODE must be one of shared, dedicated' },
  ];
  for (const { env, says } of refusals) it(`are refused: ${says}`, () => expect(() => read(env)).toThrow(says));
});
