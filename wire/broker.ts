import type { Place } from '../core/problem.ts';
import type { WireConfig } from './config.ts';
import type { WiredBroker } from './model.ts';

/** What Knative uses where nobody says. */
const USUAL_CLASS = 'MTChannelBasedBroker';

/** Where Brokers of each class take events, as their controllers write it to `status.address.url` in a cluster without TLS. */
const urls: ReadonlyMap<string, (namespace: string, name: string) => string> = new Map([
  [
    'MTChannelBasedBroker',
    (namespace, name) => `http://broker-ingress.knative-eventing.svc.cluster.local/${namespace}/${name}`,
  ],
  ['Kafka', (namespace, name) => `http://kafka-broker-ingress.knative-eventing.svc.cluster.local/${namespace}/${name}`],
  [
    'KafkaNamespaced',
    (namespace, name) => `http://kafka-broker-ingress.${namespace}.svc.cluster.local/${namespace}/${name}`,
  ],
  ['RabbitMQBroker', (namespace, name) => `http://${name}-broker-ingress.${namespace}.svc.cluster.local`],
]);

export function wiredBroker(
  { broker = {} }: Pick<WireConfig, 'broker'>,
  setNamespace: string,
  place: Place,
): WiredBroker {
  const { name = 'default', namespace = setNamespace, create = false, class: brokerClass = USUAL_CLASS } = broker;
  const url = broker.url ?? urls.get(brokerClass)?.(namespace, name);
  return { name, namespace, create, class: brokerClass, url, place };
}
