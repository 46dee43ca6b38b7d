import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../controller/objects.ts';
import { ingressWays } from '../../../controller/public-address/ingress.ts';
import { anIngress, aRule, SHARED } from '../../support/public-objects.ts';

const tls = (...hosts: string[]) => [{ hosts, secretName: 'certificate' }];
const balancer = (...ingress: object[]) => ({ loadBalancer: { ingress } });
const adapter = { service: { name: SHARED.name, port: { number: 80 } } };
const host = 'hooks.example.com';

const rows: { name: string; spec: object; status?: object; says: readonly string[] }[] = [
  { name: 'a host', spec: { rules: [aRule(host)] }, says: [`http://${host}`] },
  { name: 'a host with a certificate', spec: { tls: tls(host), rules: [aRule(host)] }, says: [`https://${host}`] },
  {
    name: 'a host under the certificate of a wildcard',
    spec: { tls: tls('*.example.com'), rules: [aRule(host)] },
    says: [`https://${host}`],
  },
  {
    name: 'a host that is deeper than the wildcard of a certificate',
    spec: { tls: tls('*.example.com'), rules: [aRule('a.hooks.example.com')] },
    says: ['http://a.hooks.example.com'],
  },
  {
    name: 'a host that has no certificate beside one that has',
    spec: { tls: tls('other.example.com'), rules: [aRule(host)] },
    says: [`http://${host}`],
  },
  {
    name: 'the certificate of the load balancer',
    spec: { tls: [{}], rules: [aRule(host)] },
    says: [`https://${host}`],
  },
  {
    name: 'the port by its name',
    spec: { rules: [aRule(host, {}, SHARED.name, { name: 'http' })] },
    says: [`http://${host}`],
  },
  {
    name: 'the internal port, which is never to be made public',
    spec: { rules: [aRule(host, {}, SHARED.name, { number: 8090 })] },
    says: ['leads to port 8090 of it, not to 80'],
  },
  {
    name: 'the internal port by its name',
    spec: { rules: [aRule(host, {}, SHARED.name, { name: 'internal' })] },
    says: ['leads to port internal of it, not to 80'],
  },
  { name: 'another Service', spec: { rules: [aRule(host, {}, 'shop')] }, says: [] },
  {
    name: 'a backend that is no Service',
    spec: { rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { resource: {} } }] } }] },
    says: [],
  },
  { name: 'a prefix', spec: { rules: [aRule(host, { path: '/in/hooks/' })] }, says: [`http://${host}/in/hooks`] },
  {
    name: 'one path of several',
    spec: {
      rules: [
        {
          host,
          http: {
            paths: [
              { path: '/', pathType: 'Prefix', backend: { service: { name: 'shop', port: { number: 80 } } } },
              { path: '/hooks', pathType: 'Prefix', backend: adapter },
            ],
          },
        },
      ],
    },
    says: [`http://${host}/hooks`],
  },
  {
    name: 'an exact path, under which nothing is',
    spec: { rules: [aRule(host, { path: '/hooks', pathType: 'Exact' })] },
    says: ['has path /hooks, under which not everything is its: make it one of type Prefix'],
  },
  {
    name: 'paths as implementations have them',
    spec: {
      rules: ['/a', '/b/*', '/*', undefined].map((path) => aRule(host, { path, pathType: 'ImplementationSpecific' })),
    },
    says: [`http://${host}/a`, `http://${host}/b`, `http://${host}`, `http://${host}`],
  },
  {
    name: 'a regular expression',
    spec: { rules: [aRule(host, { path: '/in(/|$)(.*)', pathType: 'ImplementationSpecific' })] },
    says: ['has path /in(/|$)(.*), under which not everything is its: make it one of type Prefix'],
  },
  {
    name: 'a wildcard',
    spec: { rules: [aRule('*.example.com')] },
    says: ['has *.example.com for a host, which is no single one'],
  },
  {
    name: 'no host, and a load balancer',
    spec: { rules: [aRule(undefined)] },
    status: balancer({ hostname: 'lb.example.net' }, { ip: '192.0.2.1' }),
    says: ['http://lb.example.net'],
  },
  {
    name: 'no host, and an address',
    spec: { rules: [aRule(undefined)] },
    status: balancer({ ip: '192.0.2.1' }),
    says: ['http://192.0.2.1'],
  },
  {
    name: 'no host, and an IPv6 address',
    spec: { rules: [aRule('')] },
    status: balancer({ ip: '2001:db8::1' }),
    says: ['http://[2001:db8::1]'],
  },
  {
    name: 'no host, and nothing',
    spec: { rules: [aRule(undefined)] },
    says: ['names no host, and has no load balancer yet'],
  },
  {
    name: 'no host, and certificates',
    spec: { tls: tls('*.example.com', host), rules: [aRule(undefined)] },
    status: balancer({ ip: '192.0.2.1' }),
    says: [`https://${host}`],
  },
  {
    name: 'the default backend',
    spec: { defaultBackend: adapter, rules: [aRule('shop.example.com', {}, 'shop')] },
    status: balancer({ hostname: 'lb.example.net' }),
    says: ['http://lb.example.net'],
  },
  { name: 'nothing at all', spec: {}, says: [] },
];

describe('an Ingress with', () => {
  for (const { name, spec, status, says } of rows)
    it(name, () => {
      const ways = ingressWays({ ...anIngress(spec), status } as KubeObject, (service) => service.name === SHARED.name);
      expect(ways.map((way) => ('url' in way ? way.url : way.fault))).toEqual(says);
      for (const { service } of ways) expect(service).toEqual(SHARED);
    });
});
