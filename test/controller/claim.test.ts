import { describe, expect, it } from 'vitest';
import { claimOf } from '../../controller/claim.ts';
import type { SourceObject } from '../../controller/objects.ts';

const source = {
  metadata: { uid: '0a1b2c3d', namespace: 'demo', name: 'hello' },
  status: { webhookIDKey: '12' },
} as SourceObject;
const isOurs = claimOf(source, [{ host: 'hello-x7k2p-demo.apps.example.com' }, { host: undefined }]);

describe('a webhook is for a source', () => {
  const ours = [
    'https://hooks.example.com/hooks/0a1b2c3d',
    'http://old.example.com:8080/hooks/0a1b2c3d',
    'https://x.example.com/base/hooks/0a1b2c3d?a=b',
  ];
  it.each(ours)('when its path ends so, whatever scheme, host, base and query: %s', (url) => {
    expect(isOurs({ id: '1', url })).toBe(true);
  });

  const others = ['https://x.example.com/hooks/0a1b2c3d/more', 'https://x.example.com/?/hooks/0a1b2c3d', 'no URL', ''];
  it.each(others)('and no other: %s', (url) => {
    expect(isOurs({ id: '1', url })).toBe(false);
  });
});

describe("the webhook of upstream's controller, by the id in status, is for the source", () => {
  it.each([
    ['at the adapter of all sources', 'http://adapter.knative-sources.example.com/demo/hello'],
    ["at the source's old Knative Service, by its host", 'http://hello-x7k2p-demo.apps.example.com'],
    ['at one that is gone already, by the usual form of its host', 'https://hello-b4z9q.demo.example.com/'],
  ])('%s', (_name, url) => {
    expect([isOurs({ id: '12', url }), isOurs({ id: '13', url })]).toEqual([true, false]);
  });

  it.each([
    ['elsewhere', 'https://ci.example.com/webhook'],
    ['at the path of another source', 'http://adapter.knative-sources.example.com/demo/other'],
    ['at the service of another source', 'http://other-b4z9q.demo.example.com'],
    ['at one of another namespace', 'http://hello-b4z9q.prod.example.com'],
    ['at a service nobody generated the name of', 'http://hello-api.demo.example.com'],
    ['at no URL', ''],
  ])('but not %s', (_name, url) => expect(isOurs({ id: '12', url })).toBe(false));

  it('also when the name was too long to be the whole beginning of another', () => {
    const name = 'a'.repeat(60);
    const long = { ...source, metadata: { ...source.metadata, name } } as SourceObject;
    expect(claimOf(long, [])({ id: '12', url: `http://${'a'.repeat(58)}b4z9q.demo.example.com` })).toBe(true);
  });

  it('of a source without status there is none', () => {
    expect(claimOf({ ...source, status: {} }, [])({ id: '12', url: 'http://x.example.com/demo/hello' })).toBe(false);
  });
});
