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

  const refusals = [
    { env: { ADAPTER_MODE: 'dedicated' }, says: 'ADAPTER_MODE can be dedicated only with ADAPTER_IMAGE' },
    { env: { ADAPTER_ENV: 'PORT=1,LOG_LEVEL=info,ROUTES_DIR=/x' }, says: 'ADAPTER_ENV must not name PORT, ROUTES_DIR' },
    { env: { ADAPTER_ENV: 'LOG_LEVEL' }, says: 'ADAPTER_ENV must be NAME=value, separated by commas, not "LOG_LEVEL"' },
    { env: { ADAPTER_MODE: 'own' }, says: 'ADAPTER_MODE must be one of shared, dedicated' },
  ];
  for (const { env, says } of refusals) it(`are refused: ${says}`, () => expect(() => read(env)).toThrow(says));
});
