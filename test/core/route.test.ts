import { describe, expect, it } from 'vitest';
import { RouteTable } from '../../adapter/route-table.ts';
import { parseRoute } from '../../core/route.ts';
import { definitionOf } from '../../sources/registry.ts';
import { aRoute } from '../support/builders.ts';

describe('parseRoute', () => {
  it('reads what the controller writes, and ignores what it does not know', () => {
    const route = aRoute({ sink: { url: 'https://sink.test/x' }, delivery: { retry: 5, timeout: 'PT3S' } });
    expect(parseRoute(JSON.stringify({ ...route, somethingNew: { a: 1 } }))).toEqual({
      route,
      unknownFields: ['somethingNew'],
    });
  });

  it('has defaults for what may be absent', () => {
    const { version, generation, uid, kind, namespace, name, path, eventSource, secretTokens } = aRoute();
    const least = { version, generation, uid, kind, namespace, name, path, eventSource, secretTokens };
    expect(parseRoute(JSON.stringify(least)).route).toEqual(aRoute());
  });

  it('takes null as absent, as many writers of JSON do', () => {
    const nothing = { validUntil: null, CACerts: null, audience: null, token: null };
    const delivery = { retry: null, backoffPolicy: null, backoffDelay: null, timeout: null, retryAfterMax: null };
    const secretTokens = [{ value: 's', ...nothing }];
    const sink = { url: 'http://sink.test/', ...nothing };
    const text = JSON.stringify({
      ...aRoute(),
      secretTokens,
      sink,
      delivery,
      ceOverrides: { extensions: null },
      provider: null,
    });
    const table = new RouteTable(definitionOf);
    table.put(parseRoute(text).route);
    const route = table.find(aRoute().path);
    expect(route?.policy).toMatchObject({ retries: 3, attemptTimeoutMs: undefined, retryAfterMaxMs: undefined });
    expect(route?.secrets[0]?.validUntilMs).toBe(Number.POSITIVE_INFINITY);
    expect(route?.sink).toMatchObject({ CACerts: undefined, headers: [] });
  });

  const destination = (url: unknown) => ({ sink: { url } });
  const rows: { fields: object; says: string }[] = [
    { fields: { version: 2 }, says: 'version must be 1' },
    { fields: { uid: '' }, says: 'uid must be a non-empty string' },
    { fields: { kind: 7 }, says: 'kind must be' },
    { fields: { path: '/hooks' }, says: 'path must be two segments' },
    { fields: { path: '/a/b/c' }, says: 'path must be two segments' },
    { fields: { secretTokens: 'x' }, says: 'secretTokens must be' },
    { fields: { secretTokens: [{ value: 'x', validUntil: 'soon' }] }, says: 'secretTokens must be' },
    { fields: destination('sink.test'), says: 'sink.url must be an absolute' },
    { fields: destination('ftp://sink.test/'), says: 'sink.url must be an absolute' },
    { fields: destination('http://user:pass@sink.test/'), says: 'without user name' },
    { fields: destination(undefined), says: 'sink.url must be' },
    { fields: { sink: { url: 'http://sink.test', token: 1 } }, says: 'sink.CACerts, audience and token' },
    { fields: { sink: { url: 'http://sink.test', token: 'abc\n' } }, says: 'sink.token must be one line' },
    { fields: { deadLetterSink: { url: 'http://sink.test', token: '€' } }, says: 'deadLetterSink.token must be' },
    { fields: { namespace: 'a\r\nb' }, says: 'namespace must be one line of latin1' },
    { fields: { namespace: '€' }, says: 'namespace must be one line of latin1' },
    { fields: { namespace: '' }, says: 'namespace must be' },
    { fields: { deadLetterSink: { url: '//x' } }, says: 'deadLetterSink.url' },
    { fields: { eventTypes: 'push' }, says: 'eventTypes must be a list' },
    { fields: { ceOverrides: { extensions: { 'Bad-Name': 'x' } } }, says: 'ceOverrides.extensions' },
    { fields: { ceOverrides: { extensions: { id: 'x' } } }, says: 'ceOverrides.extensions' },
    { fields: { ceOverrides: { extensions: { data: 'x' } } }, says: 'ceOverrides.extensions' },
    { fields: { ceOverrides: { extensions: { datacontenttype: 'x' } } }, says: 'data or datacontenttype' },
    { fields: { delivery: { retry: -1 } }, says: 'delivery.retry' },
    { fields: { delivery: { backoffPolicy: 'random' } }, says: 'delivery.backoffPolicy' },
    { fields: { delivery: { backoffDelay: '1s' } }, says: 'delivery.backoffDelay must be an ISO 8601 duration' },
    { fields: { eventFormat: 'cloudevents' }, says: 'eventFormat must be "knative"' },
  ];
  for (const { fields, says } of rows) {
    it(`refuses ${JSON.stringify(fields)}`, () => {
      expect(() => parseRoute(JSON.stringify({ ...aRoute(), ...fields }))).toThrow(says);
    });
  }

  it('lets everything pass that can stand in a header', () => {
    const route = aRoute({ namespace: 'ü', sink: { url: 'https://sink.test/', token: 'a.b_c-d\te é~' } });
    expect(parseRoute(JSON.stringify(route)).route).toEqual(route);
    expect(parseRoute(JSON.stringify(aRoute({ sink: { url: 'https://sink.test/', token: '' } })))).toBeDefined();
  });

  it('never puts a secret into its message', () => {
    const broken = { ...aRoute(), sink: { url: 'https://sink.test/', token: 'hush-hush\n' } };
    expect(() => parseRoute(JSON.stringify(broken))).toThrow(/token must be one line of latin1 characters[^]{0,40}$/);
    const route = aRoute({ secretTokens: [{ value: 'hush-hush' }], uid: '' });
    for (const text of [
      JSON.stringify(route),
      JSON.stringify(route).slice(0, -1),
      `${JSON.stringify(route)}hush-hush`,
    ]) {
      expect(() => parseRoute(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hush') }));
    }
  });
});
