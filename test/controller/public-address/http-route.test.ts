import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../controller/objects.ts';
import { listenersOf } from '../../../controller/public-address/gateway.ts';
import { routeFact, routeWays } from '../../../controller/public-address/http-route.ts';
import { aGateway, aHttpRoute, HTTP, HTTPS, SHARED, takenBy } from '../../support/public-objects.ts';

const host = 'hooks.example.com';
const named = { hostnames: [host] };
const ref = { name: SHARED.name, port: 80 };
const rule = (rest: object) => ({ ...named, rules: [{ backendRefs: [ref], ...rest }] });
const path = (value: string, type = 'PathPrefix') => rule({ matches: [{ path: { type, value } }] });

interface Row {
  readonly name: string;
  readonly spec?: object;
  readonly status?: object;
  readonly listeners?: readonly object[];
  /** Of the route. */
  readonly namespace?: string;
  readonly says: readonly string[];
}

const SOME = 'takes some requests to it alone: match all with method POST';
const NO_HOST = 'names no single host, nor does a listener of its Gateway';
const rows: Row[] = [
  { name: 'a host, at HTTPS', says: [`https://${host}`] },
  { name: 'a host, at HTTP', listeners: [HTTP], says: [`http://${host}`] },
  { name: 'both', listeners: [HTTP, HTTPS], says: [`http://${host}`, `https://${host}`] },
  {
    name: 'other ports',
    listeners: [
      { ...HTTP, port: 8080 },
      { ...HTTPS, port: 8443 },
    ],
    says: [`http://${host}:8080`, `https://${host}:8443`],
  },
  { name: 'TLS that ends at the Gateway', listeners: [{ protocol: 'TLS', port: 443 }], says: [`https://${host}`] },
  {
    name: 'TLS that does not',
    listeners: [{ protocol: 'TLS', port: 443, tls: { mode: 'Passthrough' } }],
    says: [NO_HOST],
  },
  { name: 'a listener for TCP', listeners: [{ protocol: 'TCP', port: 80 }], says: [NO_HOST] },
  {
    name: 'one listener of several',
    status: takenBy({ sectionName: 'listener-1' }),
    listeners: [HTTPS, HTTP],
    says: [`http://${host}`],
  },
  { name: 'one port of several', status: takenBy({ port: 443 }), listeners: [HTTP, HTTPS], says: [`https://${host}`] },
  {
    name: 'several hosts',
    spec: { hostnames: ['a.example.com', 'b.example.com'] },
    says: ['https://a.example.com', 'https://b.example.com'],
  },
  { name: 'the same host as its listener', listeners: [{ ...HTTPS, hostname: host }], says: [`https://${host}`] },
  {
    name: 'a host of those of its listener',
    listeners: [{ ...HTTPS, hostname: '*.example.com' }],
    says: [`https://${host}`],
  },
  {
    name: 'a host far under its listener',
    spec: { hostnames: ['a.b.example.com'] },
    listeners: [{ ...HTTPS, hostname: '*.example.com' }],
    says: ['https://a.b.example.com'],
  },
  { name: 'another host than its listener', listeners: [{ ...HTTPS, hostname: 'other.example.com' }], says: [NO_HOST] },
  {
    name: 'the domain itself, under a wildcard',
    spec: { hostnames: ['example.com'] },
    listeners: [{ ...HTTPS, hostname: '*.example.com' }],
    says: [NO_HOST],
  },
  { name: 'no host', spec: {}, listeners: [{ ...HTTPS, hostname: host }], says: [`https://${host}`] },
  { name: 'no host anywhere', spec: {}, says: [NO_HOST] },
  {
    name: 'a wildcard, and a host at the listener',
    spec: { hostnames: ['*.example.com'] },
    listeners: [{ ...HTTPS, hostname: host }],
    says: [`https://${host}`],
  },
  { name: 'a wildcard alone', spec: { hostnames: ['*.example.com'] }, says: [NO_HOST] },
  {
    name: 'a wildcard on both sides',
    spec: { hostnames: ['*.a.example.com'] },
    listeners: [{ ...HTTPS, hostname: '*.example.com' }],
    says: [NO_HOST],
  },
  { name: 'no status yet', status: {}, says: ['is accepted by no Gateway'] },
  { name: 'a Gateway that refuses it', status: takenBy({}, 'False'), says: ['is accepted by no Gateway'] },
  {
    name: 'a parent that is no Gateway',
    status: takenBy({ kind: 'Service', group: '' }),
    says: ['is accepted by no Gateway'],
  },
  { name: 'a Gateway nobody knows', status: takenBy({ name: 'other' }), says: ['has Gateway headwater/other'] },
  {
    name: 'a Gateway of another namespace',
    status: takenBy({ namespace: 'infra' }),
    says: ['has Gateway infra/public'],
  },
  { name: 'a prefix', spec: path('/in/hooks/'), says: [`https://${host}/in/hooks`] },
  { name: 'no prefix', spec: path('/'), says: [`https://${host}`] },
  { name: 'an exact path', spec: path('/hooks', 'Exact'), says: ['matches path /hooks by Exact: make it PathPrefix'] },
  {
    name: 'a regular expression',
    spec: path('/h.*', 'RegularExpression'),
    says: ['matches path /h.* by RegularExpression: make it PathPrefix'],
  },
  { name: 'method POST', spec: rule({ matches: [{ method: 'POST' }] }), says: [`https://${host}`] },
  { name: 'another method', spec: rule({ matches: [{ method: 'GET' }] }), says: [SOME] },
  { name: 'headers', spec: rule({ matches: [{ headers: [{ name: 'a', value: 'b' }] }] }), says: [SOME] },
  { name: 'a query', spec: rule({ matches: [{ queryParams: [{ name: 'a', value: 'b' }] }] }), says: [SOME] },
  {
    name: 'one match of several',
    spec: rule({ matches: [{ method: 'GET' }, { path: { value: '/x' } }] }),
    says: [SOME, `https://${host}/x`],
  },
  { name: 'a redirect', spec: rule({ filters: [{ type: 'RequestRedirect' }] }), says: ['redirects requests to it'] },
  {
    name: 'a rewritten prefix',
    spec: rule({ filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplacePrefixMatch' } } }] }),
    says: [`https://${host}`],
  },
  {
    name: 'a rewritten path',
    spec: rule({ filters: [{ type: 'URLRewrite', urlRewrite: { path: { type: 'ReplaceFullPath' } } }] }),
    says: ['replaces whole paths of requests to it'],
  },
  {
    name: 'the internal port',
    spec: rule({ backendRefs: [{ ...ref, port: 8090 }] }),
    says: ['leads to port 8090 of it, not to 80'],
  },
  { name: 'a backend without weight', spec: rule({ backendRefs: [{ ...ref, weight: 0 }] }), says: [] },
  {
    name: 'a backend of another kind',
    spec: rule({ backendRefs: [{ ...ref, kind: 'Bucket', group: 'example.com' }] }),
    says: [],
  },
  { name: 'another Service', spec: rule({ backendRefs: [{ ...ref, name: 'shop' }] }), says: [] },
  { name: 'a Service of that name elsewhere', namespace: 'shop', says: [] },
  {
    name: 'a Service elsewhere, by a grant',
    namespace: 'infra',
    spec: rule({ backendRefs: [{ ...ref, namespace: 'headwater' }] }),
    says: [`https://${host}`],
  },
  {
    name: 'a Service elsewhere, without',
    namespace: 'infra',
    spec: rule({ backendRefs: [{ ...ref, namespace: 'headwater' }] }),
    status: takenBy({}, 'True', 'False'),
    says: ['is accepted by no Gateway'],
  },
  { name: 'some other backend that is not there', status: takenBy({}, 'True', 'False'), says: [`https://${host}`] },
];

describe('an HTTPRoute with', () => {
  for (const { name, spec = named, status = takenBy(), listeners = [HTTPS], namespace = 'headwater', says } of rows)
    it(name, () => {
      const route = { ...aHttpRoute(spec, { namespace }), status } as KubeObject;
      const fact = routeFact(
        route,
        (service) => service.name === SHARED.name && service.namespace === SHARED.namespace,
      );
      const known = listenersOf(aGateway(listeners) as KubeObject);
      const ways = fact
        ? routeWays(fact, namespace, (gateway) =>
            gateway.namespace === namespace && gateway.name === 'public'
              ? { listeners: known }
              : { fault: `has Gateway ${gateway.namespace}/${gateway.name}` },
          )
        : [];
      expect(ways.map((way) => ('url' in way ? way.url : way.fault))).toEqual(says);
      for (const { service } of ways) expect(service).toEqual(SHARED);
    });
});
