import { describe, expect, it } from 'vitest';
import { AddressGuard, isLoopback } from '../../core/address-guard.ts';

describe('AddressGuard', () => {
  const rows: [address: string, allowed: boolean, allowedWithLoopback: boolean][] = [
    ['169.254.169.254', false, false],
    ['169.254.0.1', false, false],
    ['::ffff:169.254.169.254', false, false],
    ['fe80::1', false, false],
    ['fe80::1%eth0', false, false],
    ['febf::1', false, false],
    ['0.0.0.0', false, false],
    ['0.1.2.3', false, false],
    ['::', false, false],
    ['[::]', false, false],
    ['127.0.0.1', false, true],
    ['127.255.0.1', false, true],
    ['::1', false, true],
    ['[::1]', false, true],
    ['::ffff:127.0.0.1', false, true],
    ['10.0.0.1', true, true],
    ['169.253.255.255', true, true],
    ['fec0::1', true, true],
    ['2001:db8::1', true, true],
    ['example.com', true, true],
  ];
  for (const [address, allowed, allowedWithLoopback] of rows) {
    it(`${address}: ${allowed}, where loopback is allowed ${allowedWithLoopback}`, () => {
      const passes = (allowLoopback: boolean) => {
        try {
          new AddressGuard({ allowLoopback }).check(address);
          return true;
        } catch {
          return false;
        }
      };
      expect([passes(false), passes(true)]).toEqual([allowed, allowedWithLoopback]);
    });
  }

  it('judges what a name resolves to', async () => {
    const resolved = (allowLoopback: boolean) =>
      new Promise<Error | null>((resolve) => {
        new AddressGuard({ allowLoopback }).lookup('localhost', { all: true }, (error) => resolve(error));
      });
    expect(await resolved(true)).toBeNull();
    expect(await resolved(false)).toMatchObject({ code: 'ERR_FORBIDDEN_ADDRESS' });
  });
});

describe('isLoopback', () => {
  const rows: [url: string, loopback: boolean][] = [
    ['http://127.0.0.1:8080', true],
    ['https://127.9.9.9/x', true],
    ['http://localhost:3000/api/v3', true],
    ['http://[::1]:8080', true],
    ['http://2130706433/', true],
    ['https://api.github.com', false],
    ['http://127.0.0.1.example.com', false],
    ['http://localhost.example.com', false],
    ['http://10.0.0.1', false],
    ['http://[fe80::1]', false],
    ['127.0.0.1', false],
    ['', false],
  ];
  for (const [url, loopback] of rows) it(`${url}: ${loopback}`, () => expect(isLoopback(url)).toBe(loopback));
});
