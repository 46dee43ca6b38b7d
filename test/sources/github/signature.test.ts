import { createHmac, createSecretKey } from 'node:crypto';
import { Webhooks } from '@octokit/webhooks';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyDelivery } from '../../../adapter/receive.ts';
import { RouteTable } from '../../../adapter/route-table.ts';
import { authenticate, carriesSignature } from '../../../sources/github/signature.ts';
import { definitionOf } from '../../../sources/registry.ts';
import { aRoute } from '../../support/builders.ts';

const hex = (secret: string, body: Buffer | string) => createHmac('sha256', secret).update(body).digest('hex');
const isAuthentic = (secret: string, body: Buffer, signature: string) =>
  authenticate({ path: '/', headers: { 'x-hub-signature-256': signature }, body }, createSecretKey(secret, 'utf8')) !==
  undefined;

/** Signatures right and wrong, and strings that look like one. */
const signatures = (secret: string, body: string) =>
  fc.oneof(
    fc.constant(`sha256=${hex(secret, body)}`),
    fc.constant(`sha256=${hex(secret, body).toUpperCase()}`),
    fc.constant(`sha256=${hex(`${secret}x`, body)}`),
    fc.constant(`sha1=${createHmac('sha1', secret).update(body).digest('hex')}`),
    fc.nat(63).map((length) => `sha256=${hex(secret, body).slice(0, length)}`),
    fc.nat(70).map((at) => {
      const signature = `sha256=${hex(secret, body)}`;
      return `${signature.slice(0, at)}0${signature.slice(at + 1)}`;
    }),
    fc.string({ minLength: 1 }),
  );

describe('agrees with @octokit/webhooks', () => {
  it('on every secret, text and signature it has a verdict for', async () => {
    const cases = fc
      .tuple(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ minLength: 1, unit: 'binary' }))
      .filter(([secret, body]) => secret.isWellFormed() && body.isWellFormed())
      .chain(([secret, body]) => fc.tuple(fc.constant(secret), fc.constant(body), signatures(secret, body)));
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(cases, async ([secret, body, signature]) => {
        const verdict = await new Webhooks({ secret }).verify(body, signature);
        accepted += verdict ? 1 : 0;
        expect(isAuthentic(secret, Buffer.from(body, 'utf8'), signature)).toBe(verdict);
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('is right where that library cannot be', () => {
  it('bytes that are not UTF-8', async () => {
    const body = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    const signature = `sha256=${hex('s', body)}`;
    expect(await new Webhooks({ secret: 's' }).verify(body.toString('utf8'), signature)).toBe(false);
    expect(isAuthentic('s', body, signature)).toBe(true);
  });

  it('an empty body', () => {
    expect(isAuthentic('s', Buffer.alloc(0), `sha256=${hex('s', '')}`)).toBe(true);
    expect(isAuthentic('s', Buffer.alloc(0), `sha256=${hex('x', '')}`)).toBe(false);
  });

  it('any bytes under any secret: accepted when signed, refused when a bit is turned', () => {
    const cases = fc.tuple(fc.string({ minLength: 1 }), fc.uint8Array({ minLength: 1 }), fc.nat());
    fc.assert(
      fc.property(cases, ([secret, bytes, position]) => {
        const body = Buffer.from(bytes);
        const signature = `sha256=${hex(secret, body)}`;
        expect(isAuthentic(secret, body, signature)).toBe(true);
        const turned = Buffer.from(body);
        turned[position % body.length] = (turned[position % body.length] ?? 0) ^ 1;
        expect(isAuthentic(secret, turned, signature)).toBe(false);
      }),
    );
  });
});

describe('the header', () => {
  const good = `sha256=${hex('s', 'x')}`;
  const rows: { name: string; headers: Record<string, string | string[]>; carries: boolean }[] = [
    { name: 'sha256', headers: { 'x-hub-signature-256': good }, carries: true },
    { name: 'absent', headers: {}, carries: false },
    {
      name: 'SHA-1 alone',
      headers: { 'x-hub-signature': 'sha1=6b5b5d4f2bd8b6bd3d7f17e6a4e0d5a5cf1d5f6a' },
      carries: false,
    },
    { name: 'sha256 in the header of SHA-1', headers: { 'x-hub-signature': good }, carries: false },
    { name: 'two, joined', headers: { 'x-hub-signature-256': `${good}, ${good}` }, carries: false },
  ];
  for (const { name, headers, carries } of rows) {
    it(`${name}: ${carries}`, () => expect(carriesSignature(headers)).toBe(carries));
  }
});

describe('the secrets of a route', () => {
  const body = Buffer.from('{}');
  const now = new Date('2026-05-01T12:00:00Z');
  const secretTokens = [
    { value: 'new' },
    { value: 'old', validUntil: '2026-05-01T12:00:01Z' },
    { value: 'expired', validUntil: '2026-05-01T12:00:00Z' },
  ];
  const rows = [
    { secret: 'new', index: 0 },
    { secret: 'old', index: 1 },
    { secret: 'expired', index: undefined },
    { secret: 'never', index: undefined },
    { secret: '', index: undefined },
  ];
  for (const { secret, index } of rows) {
    it(`signed with ${secret || 'an empty one'}: ${index ?? 'refused'}`, () => {
      const table = new RouteTable(definitionOf);
      table.put(aRoute({ uid: 'a', secretTokens }));
      const route = table.find('/hooks/a');
      const headers = { 'x-hub-signature-256': `sha256=${hex(secret, body)}` };
      expect(route && verifyDelivery(route, { path: '/hooks/a', headers, body }, now)?.secretIndex).toBe(index);
    });
  }
});
