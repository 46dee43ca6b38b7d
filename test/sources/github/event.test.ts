import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, VerifiedDelivery } from '../../../sources/contract.ts';
import { toEvent } from '../../../sources/github/event.ts';
import { formParameter } from '../../../sources/github/form.ts';
import { attributeTable } from './attribute-table.ts';

/** Verification is not what is tested here: the delivery is taken as verified. */
function eventOf(eventType: string, body: Buffer, id = '1') {
  const headers = { 'x-github-event': eventType, 'x-github-delivery': id, 'content-type': 'application/json' };
  const event = toEvent({ path: '/', headers, body } as unknown as VerifiedDelivery, {});
  return 'malformed' in event ? undefined : event;
}

function map(eventType: string, payload: JsonObject | string) {
  const data = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  const { subject, extensions = [] } = eventOf(eventType, data)?.attributes ?? {};
  return { subject, ...Object.fromEntries(extensions) };
}

describe('what a payload lacks', () => {
  const rows: { name: string; eventType: string; payload: JsonObject | string; attributes: object }[] = [
    {
      name: 'a ping of an organization: upstream sends empty strings',
      eventType: 'ping',
      payload: { hook_id: 5, organization: { login: 'octo' } },
      attributes: { subject: '5', owner: '', repository: '', sender: '' },
    },
    {
      name: 'pull_request without installation and label',
      eventType: 'pull_request',
      payload: { action: 'opened', number: 2, pull_request: { number: 2 }, label: null, assignee: null },
      attributes: {
        subject: '2',
        owner: '',
        repository: '',
        sender: '',
        action: 'opened',
        installation: '0',
        number: '2',
        label: '',
      },
    },
    {
      name: 'issues with label and assignee',
      eventType: 'issues',
      payload: {
        action: 'labeled',
        issue: { number: 1 },
        label: { name: 'good first issue' },
        assignee: { login: 'mona' },
      },
      attributes: {
        subject: '1',
        owner: '',
        repository: '',
        sender: '',
        action: 'labeled',
        label: 'good first issue',
        assignee: 'mona',
      },
    },
    {
      name: 'a push of nothing known',
      eventType: 'push',
      payload: { compare: 'no slash' },
      attributes: {
        subject: '',
        owner: '',
        repository: '',
        sender: '',
        installation: '0',
        pusher: '',
        ref: '',
        created: 'false',
        deleted: 'false',
        forced: 'false',
      },
    },
    {
      name: 'a release without a name',
      eventType: 'release',
      payload: {
        action: 'created',
        release: { tag_name: 'v1', name: null },
        repository: { name: 'r', owner: { login: 'o' } },
      },
      attributes: { subject: 'v1', owner: 'o', repository: 'r', sender: '', action: 'created', installation: '0' },
    },
    {
      name: 'two wiki pages',
      eventType: 'gollum',
      payload: { pages: [{ page_name: 'Home' }, { page_name: 'Main' }], repository: null },
      attributes: { subject: 'Home,Main', owner: '', repository: '', sender: '' },
    },
    {
      name: 'an installation event under its old name',
      eventType: 'integration_installation_repositories',
      payload: { action: 'added', installation: { id: 3 } },
      attributes: { subject: '3', installation: '3', sender: '', action: 'added' },
    },
    { name: 'an unknown event without anything', eventType: 'star', payload: {}, attributes: { subject: undefined } },
    {
      name: 'an unknown event: number before id, named before first, null is absent',
      eventType: 'secret_scanning_alert',
      payload: { location: { id: 1 }, alert: { id: 2, number: 3 }, repository: { id: 9, name: null } },
      attributes: { subject: '3' },
    },
    {
      name: 'an unknown event about its first object',
      eventType: 'thing_done',
      payload: { changes: { id: 1 }, list: [{ id: 2 }], other: { id: 'x4' }, repository: { id: 9 } },
      attributes: { subject: 'x4' },
    },
    {
      name: 'an unknown event whose first object has neither: the repository',
      eventType: 'thing_done',
      payload: { other: {}, third: { id: 4 }, repository: { id: 9 } },
      attributes: { subject: '9' },
    },
    {
      name: 'digits no double can hold',
      eventType: 'check_run',
      payload: '{"check_run":{"id":9007199254740993},"action":"x"}',
      attributes: { subject: '9007199254740993', owner: '', repository: '', sender: '', action: 'x' },
    },
  ];
  for (const { name, eventType, payload, attributes } of rows) {
    it(name, () => expect(map(eventType, payload)).toEqual(attributes));
  }
});

it('maps whatever JSON object comes under whatever event name', () => {
  const names = fc.oneof(fc.constantFrom(...Object.keys(attributeTable)), fc.stringMatching(/^[a-z0-9_]{1,20}$/));
  const members = fc.constantFrom(
    'repository',
    'issue',
    'sender',
    'owner',
    'pages',
    '__proto__',
    'label',
    'id',
    'name',
    'installation',
  );
  const payloads = fc.dictionary(members, fc.anything({ key: members, maxDepth: 3 }));
  const numberOfBigint = (_key: string, value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
  fc.assert(
    fc.property(names, payloads, (eventType, payload) => {
      const event = eventOf(eventType, Buffer.from(JSON.stringify(payload, numberOfBigint)));
      const { type, extensions = [] } = event?.attributes ?? {};
      expect(type).toBe(`dev.knative.source.github.${eventType}`);
      expect(new Set(extensions.map(([name]) => name)).size).toBe(extensions.length);
      for (const [, value] of extensions) expect(typeof value).toBe('string');
    }),
  );
});

describe('a number no double can hold', () => {
  const subjectOf = (number: string, rest: string) =>
    map('issues', `{"issue":{"number":${number}},"rest":${rest}}`)['subject'];
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  const long = `"${'x'.repeat(256 * 1024)}"`;
  const rows = [
    { name: 'keeps its digits', number: '12345678901234567890', rest: '0', subject: '12345678901234567890' },
    { name: 'beyond all keeps its text', number: '1e999', rest: '0', subject: '1e999' },
    {
      name: 'is rounded in a deep document',
      number: '12345678901234567890',
      rest: deep,
      subject: '12345678901234567000',
    },
    {
      name: 'is rounded in a long document',
      number: '12345678901234567890',
      rest: long,
      subject: '12345678901234567000',
    },
    { name: 'beyond all, in a long document', number: '1e999', rest: long, subject: 'Infinity' },
  ];
  for (const { name, number, rest, subject } of rows) it(name, () => expect(subjectOf(number, rest)).toBe(subject));
});

describe('a form', () => {
  const rows: { name: string; body: string; payload: string | undefined }[] = [
    { name: 'payload alone', body: 'payload=%7B%22a%22%3A1%7D', payload: '{"a":1}' },
    { name: 'plus is a space, %2B a plus', body: 'payload=a+b%2Bc', payload: 'a b+c' },
    { name: 'other parameters around it', body: 'x=1&payload=y&&z', payload: 'y' },
    { name: 'lower-case hex', body: 'payload=%7b%7d', payload: '{}' },
    { name: 'a percent that encodes nothing', body: 'payload=100%&x', payload: '100%' },
    { name: 'a percent cut off by the end', body: 'payload=%7', payload: '%7' },
    { name: 'its name encoded', body: '%70ayload=x', payload: 'x' },
    { name: 'without value', body: 'payload', payload: '' },
    { name: 'twice: nobody knows which one counts', body: 'payload=a&payload=b', payload: undefined },
    { name: 'absent', body: 'load=x', payload: undefined },
    { name: 'empty', body: '', payload: undefined },
    { name: 'the last of 100', body: `${'&'.repeat(99)}payload=x`, payload: 'x' },
    { name: 'the first of 101', body: `payload=x${'&'.repeat(100)}`, payload: undefined },
  ];
  for (const { name, body, payload } of rows) {
    it(name, () => expect(formParameter(Buffer.from(body), 'payload')?.toString('latin1')).toBe(payload));
  }

  it('decodes to bytes, whatever they are', () => {
    const encoded = (bytes: Uint8Array) =>
      Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(formParameter(Buffer.from(`payload=${encoded(bytes)}`), 'payload')).toEqual(Buffer.from(bytes));
      }),
    );
  });
});

it('reads headers as UTF-8 and refuses event names that cannot be one', () => {
  const read = (event: string, id?: string) => eventOf(event, Buffer.from('{}'), id)?.attributes;
  expect(read('push', 'Ã¼')?.id).toBe('ü');
  for (const event of ['', 'Push', 'push, push', 'a b', '../x', 'ü']) expect(read(event)).toBeUndefined();
});
