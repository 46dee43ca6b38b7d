import { describe, expect, it } from 'vitest';
import { readAdapterConfig, readProcessConfig } from '../../adapter/config.ts';

describe('readProcessConfig', () => {
  it('has the documented defaults', () => {
    expect(readProcessConfig({ ROUTES_DIR: '/routes' })).toMatchObject({
      host: undefined,
      port: 8080,
      internalPort: 8090,
      routes: { folder: '/routes' },
      logLevel: 'info',
      limits: { bodyBytes: 27_262_976, bufferedBytes: 134_217_728, headersTimeoutMs: 2000, requestTimeoutMs: 30_000 },
      delivery: { allowLoopbackSinks: false, budgetMs: undefined, deadLetterReserveMs: 1500, attemptTimeoutMs: 3000 },
      shutdownDelayMs: 5000,
    });
  });

  it('names every problem in one message', () => {
    const env = {
      PORT: '80a',
      INTERNAL_PORT: '70000',
      ALLOW_LOOPBACK_SINKS: 'maybe',
      LOG_LEVEL: 'loud',
      MAX_BUFFERED_BYTES: '-1',
      HTTPS_PROXY: 'ftp://proxy',
      NO_PROXY: 'a.example,10.0.0.0/99',
    };
    expect(() => readProcessConfig(env)).toThrow(
      /PORT must be .*"80a".*INTERNAL_PORT must be .*LOG_LEVEL must be one of .*MAX_BUFFERED_BYTES.*ALLOW_LOOPBACK_SINKS.*HTTPS_PROXY must be .*NO_PROXY must be .*"10.0.0.0\/99"/s,
    );
  });

  for (const name of ['HEADERS_TIMEOUT_MS', 'ATTEMPT_TIMEOUT_MS', 'DELIVERY_BUDGET_MS']) {
    it(`takes no ${name} of 0`, () => {
      const range = 'must be a whole number from 1 to 86400000, not "0"';
      expect(() => readAdapterConfig({ [name]: '0' })).toThrow(`${name} ${range}`);
      expect(() => readAdapterConfig({ [name]: '1' })).not.toThrow();
    });
  }

  it('wants room for the longest body', () => {
    const sentence = 'MAX_BUFFERED_BYTES must be at least MAX_BODY_BYTES';
    expect(() => readAdapterConfig({ MAX_BUFFERED_BYTES: '27262975' })).toThrow(sentence);
    expect(() => readAdapterConfig({ MAX_BODY_BYTES: '134217729' })).toThrow(sentence);
    expect(readAdapterConfig({ MAX_BUFFERED_BYTES: '27262976' }).limits.bufferedBytes).toBe(27_262_976);
  });

  it('takes an empty variable as absent', () => {
    expect(readProcessConfig({ ROUTES_DIR: '/r', PORT: '', LOG_LEVEL: ' ' })).toMatchObject({
      port: 8080,
      logLevel: 'info',
    });
  });
});
