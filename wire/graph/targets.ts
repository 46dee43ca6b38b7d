import { isObject, type JsonObject, objectsIn, textOf } from '../definition-text.ts';
import type { KubeManifest, Runtime } from '../model.ts';
import { KNATIVE_SERVICE, SERVICE } from '../planned-object.ts';
import type { NodeKind } from './diagram.ts';

/** Where events of one place are sent: an object, or a URL. */
export interface Target {
  readonly key: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

export const EVENTING = 'eventing.knative.dev';
export const MESSAGING = 'messaging.knative.dev';
/** Where Knative's own Brokers take events (MTChannelBasedBroker): `http://<ingress>/<namespace>/<name>`. */
const BROKER_URL = /^https?:\/\/[^/]+\/([a-z0-9-]+)\/([a-z0-9.-]+)\/?$/;

export function isSource(object: KubeManifest): boolean {
  return specOf(object)['sink'] !== undefined && object.kind !== 'SinkBinding';
}

/** The URL a Knative Service, Deployment or the like is told to send its events to. */
export function sinkInEnvironment(object: KubeManifest): string | undefined {
  for (const container of templateOf(object).containers)
    for (const { name, value } of objectsIn(container['env'])) if (name === 'K_SINK') return textOf(value);
  return undefined;
}

export function templateOf(object: KubeManifest): {
  readonly labels: JsonObject;
  readonly containers: readonly JsonObject[];
} {
  const { template } = specOf(object);
  if (!isObject(template)) return { labels: {}, containers: [] };
  const { metadata, spec } = template;
  const labels = isObject(metadata) && isObject(metadata['labels']) ? metadata['labels'] : {};
  return { labels, containers: isObject(spec) ? objectsIn(spec['containers']) : [] };
}

export function specOf(object: KubeManifest): JsonObject {
  return isObject(object['spec']) ? object['spec'] : {};
}

export function namespaceOf({ metadata }: KubeManifest): string {
  return metadata.namespace ?? 'default';
}

export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

export function targetOf({ apiVersion, kind, metadata }: KubeManifest): Target {
  return targetOfReference({ apiVersion, kind, ...metadata }, namespaceOf({ apiVersion, kind, metadata }));
}

export function targetOfReference(reference: JsonObject, inNamespace: string): Target {
  const kind = textOf(reference['kind']) ?? '';
  const name = textOf(reference['name']) ?? '';
  const namespace = textOf(reference['namespace']) ?? inNamespace;
  const group = groupOf(textOf(reference['apiVersion']) ?? '');
  const shown = group === 'serving.knative.dev' ? `Knative ${kind}` : kind;
  return { key: `${group} ${kind} ${namespace} ${name}`, kind: shown, name, namespace };
}

/** undefined: it names nothing. */
export function targetOfDestination(destination: JsonObject, namespace: string): Target | undefined {
  if (isObject(destination['ref'])) return targetOfReference(destination['ref'], namespace);
  const uri = textOf(destination['uri']);
  if (uri === undefined) return undefined;
  const [, brokerNamespace, broker] = /broker-ingress/.test(uri) ? (BROKER_URL.exec(uri) ?? []) : [];
  return broker === undefined
    ? { key: uri, kind: '', name: uri, namespace: '' }
    : targetOfReference(
        { apiVersion: `${EVENTING}/v1`, kind: 'Broker', name: broker, namespace: brokerNamespace },
        namespace,
      );
}

export function targetOfRuntime(runtime: Runtime, namespace: string): Target {
  if (runtime.kind === 'uri') return { key: runtime.uri, kind: '', name: runtime.uri, namespace: '' };
  const kind = runtime.kind === 'knative-service' ? KNATIVE_SERVICE : SERVICE;
  return targetOfReference({ ...kind, name: runtime.service }, namespace);
}

export function kindOfTarget({ key }: Target): NodeKind {
  return key.startsWith(`${EVENTING} Broker `) || key.startsWith(`${MESSAGING} `) ? 'broker' : 'sink';
}
