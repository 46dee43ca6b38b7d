import { describe, expect, it } from 'vitest';
import { lifeOf } from '../../controller/token-life.ts';
import { aToken } from '../support/token-issuer.ts';

const IAT = 1_767_225_600;
const life = { renewal: (IAT + 2400) * 1000, end: (IAT + 3600) * 1000 };
const times = { iat: IAT, exp: IAT + 3600 };

describe('the life of a token', () => {
  const cases = [
    { name: 'is renewed at two thirds', token: aToken({ aud: ['me'], ...times }), life },
    { name: 'is that of one audience among several', token: aToken({ aud: ['a', 'me'], ...times }), life },
    { name: 'is that of an audience that is no list', token: aToken({ aud: 'me', ...times }), life },
    { name: 'is none for another audience', token: aToken({ aud: ['you'], ...times }), life: undefined },
    { name: 'is none for a part of the audience', token: aToken({ aud: 'me too', ...times }), life: undefined },
    { name: 'is none without a beginning', token: aToken({ aud: 'me', exp: IAT }), life: undefined },
    { name: 'is none without an end', token: aToken({ aud: 'me', iat: IAT }), life: undefined },
    { name: 'is none without claims', token: aToken(['me']), life: undefined },
    { name: 'is none of what is no token', token: 'secret', life: undefined },
    { name: 'is none of what holds null', token: `a.${Buffer.from('null').toString('base64url')}.b`, life: undefined },
    { name: 'is none of nothing', token: '', life: undefined },
  ];
  for (const { name, token, life: expected } of cases) {
    it(name, () => expect(lifeOf(token, 'me')).toEqual(expected));
  }
});
