import { dirname, relative } from 'node:path';
import type { KubeManifest, Step, WiredBroker, WiredWorkflow, WireSet } from './model.ts';

/** An object as it should be, and why it is there. */
export interface PlannedObject {
  readonly object: KubeManifest & { readonly metadata: { readonly namespace: string } };
  /** Sentences for people, each on one line. */
  readonly because: readonly string[];
}

/** Where a step is, the same from wherever the files are read: `flows/pr.yaml:6 (awaitReview)`, from the wiring file. */
export function placeText({ place: { file, line }, step }: Step, set: Pick<WireSet, 'place'>): string {
  return `${relative(dirname(set.place.file), file)}:${line} (${step})`;
}

/** A reference from an object in `from`: Knative takes a namespace that is not said as the object's own. */
export function referenceTo(
  kind: { readonly apiVersion: string; readonly kind: string },
  to: { readonly name: string; readonly namespace: string },
  from: string,
) {
  return { ...kind, name: to.name, ...(to.namespace !== from && { namespace: to.namespace }) };
}

export const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker' };
export const TRIGGER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Trigger' };
export const SINK_BINDING = { apiVersion: 'sources.knative.dev/v1', kind: 'SinkBinding' };
export const KNATIVE_SERVICE = { apiVersion: 'serving.knative.dev/v1', kind: 'Service' };
export const SERVICE = { apiVersion: 'v1', kind: 'Service' };
export const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment' };

export function brokerReference(broker: WiredBroker, from: string) {
  return referenceTo(BROKER, broker, from);
}

/** Where a workflow takes its events, as Knative's Destination, for an object in `from`. */
export function subscriberOf({ runtime }: WiredWorkflow, { namespace }: WireSet, from: string) {
  if (!runtime) return undefined;
  if (runtime.kind === 'uri') return { uri: runtime.uri };
  const kind = runtime.kind === 'knative-service' ? KNATIVE_SERVICE : SERVICE;
  const ref = referenceTo(kind, { name: runtime.service, namespace }, from);
  return { ref, ...(runtime.path !== '/' && { uri: runtime.path }) };
}
