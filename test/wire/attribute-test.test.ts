import { expect, it } from 'vitest';
import { attributeTestOf } from '../../wire/attribute-test.ts';

it.each([
  ['com.acme.order.placed.v1', 'exact', 'com.acme.order.placed.v1'],
  ['https://acme.com/a?b=c+d', 'exact', 'https://acme.com/a?b=c+d'],
  [String.raw`^com\.acme\.placed$`, 'exact', 'com.acme.placed'],
  [String.raw`^com\.acme\..*`, 'prefix', 'com.acme.'],
  [String.raw`^com\.acme\..*$`, 'prefix', 'com.acme.'],
  ['^refs/heads/', 'prefix', 'refs/heads/'],
  [String.raw`.*\.placed$`, 'suffix', '.placed'],
  [String.raw`^.*\.placed$`, 'suffix', '.placed'],
  [String.raw`/main$`, 'suffix', '/main'],
])('%s is %s of %s', (text, test, value) => expect(attributeTestOf(text)).toEqual({ test, value }));

it.each([
  // Unanchored, it may stand anywhere; a bare dot is any character.
  'com.acme.*',
  '^com.acme$',
  String.raw`^a\d+$`,
  '^(opened|closed)$',
  'a.+b',
  'https://acme.com/{owner}',
  '${ .subject }',
])('%s is for the runtime', (text) => expect(attributeTestOf(text)).toEqual({ test: 'runtime', expression: text }));
