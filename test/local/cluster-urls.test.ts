import { expect, it } from 'vitest';
import { localUrlOf } from '../../local/cluster-urls.ts';
import { BROKER, CHANNEL, IN_MEMORY_CHANNEL, KNATIVE_SERVICE, SERVICE } from '../../local/kinds.ts';
import { TestBroker } from '../support/test-broker.ts';

const broker = new TestBroker();
for (const [kind, name, url] of [
  [BROKER, 'default', 'http://127.0.0.1:1/demo/default'],
  [CHANNEL, 'c', 'http://127.0.0.1:1/channels/demo/c'],
  [IN_MEMORY_CHANNEL, 'd', 'http://127.0.0.1:1/inmemorychannels/demo/d'],
  [SERVICE, 'app', 'http://127.0.0.1:2'],
  [KNATIVE_SERVICE, 'fn', 'http://127.0.0.1:3/base'],
  [SERVICE, 'nowhere', undefined],
] as const) {
  broker.apply(kind, name, {});
  broker.cluster.setStatus({ ...kind, namespace: 'demo', name }, url === undefined ? {} : { address: { url } });
}

const here: readonly (readonly [clusterUrl: string, localUrl: string])[] = [
  ['http://broker-ingress.knative-eventing.svc.cluster.local/demo/default', 'http://127.0.0.1:1/demo/default'],
  ['http://kafka-broker-ingress.knative-eventing.svc.cluster.local/demo/default', 'http://127.0.0.1:1/demo/default'],
  ['http://default-broker-ingress.demo.svc.cluster.local', 'http://127.0.0.1:1/demo/default'],
  ['http://c-kn-channel.demo.svc.cluster.local', 'http://127.0.0.1:1/channels/demo/c'],
  ['http://d-kn-channel.demo.svc.cluster.local/', 'http://127.0.0.1:1/inmemorychannels/demo/d'],
  ['http://app.demo.svc.cluster.local/path?a=b', 'http://127.0.0.1:2/path?a=b'],
  ['http://app.demo.svc:8080/', 'http://127.0.0.1:2/'],
  ['https://fn.demo.svc.cluster.local/path', 'http://127.0.0.1:3/path'],
];
it.each(here)('%s is %s', (clusterUrl, localUrl) => expect(localUrlOf(clusterUrl, broker.cluster)).toBe(localUrl));

it.each([
  'http://broker-ingress.knative-eventing.svc.cluster.local/demo/other',
  'http://other-kn-channel.demo.svc.cluster.local',
  'http://app.other.svc.cluster.local',
  'http://nowhere.demo.svc.cluster.local',
  'http://app.demo.example.com/',
  'app.demo.svc.cluster.local',
  'see http://app.demo.svc.cluster.local',
  'http://[',
  '',
])('%s stays as it is', (text) => expect(localUrlOf(text, broker.cluster)).toBe(text));
