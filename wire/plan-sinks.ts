import { isObject, listOf } from './definition-text.ts';
import type { KubeManifest, WiredBroker, WiredWorkflow, WireSet } from './model.ts';
import { brokerReference, DEPLOYMENT, type PlannedObject, placeText, SINK_BINDING } from './planned-object.ts';

const K_SINK = 'K_SINK';

/** The objects that tell workflows where to send events: one for each Deployment and each Knative Service. */
export function sinkObjects(set: WireSet): readonly PlannedObject[] {
  const byName = new Map<string, PlannedObject>();
  for (const workflow of set.workflows) {
    const made = bindingOf(workflow, set) ?? serviceOf(workflow, set);
    if (!made) continue;
    const key = `${made.object.kind} ${made.object.metadata.name}`;
    const before = byName.get(key);
    byName.set(key, { ...made, because: [...(before?.because ?? []), ...made.because] });
  }
  return [...byName.values()];
}

/** Why events a workflow emits would go nowhere; a sentence. undefined: they do not, or it emits none. */
export function lostBy({ emits, runtime }: WiredWorkflow, broker: WiredBroker): string | undefined {
  if (emits.length === 0 || runtime?.kind !== 'knative-service') return undefined;
  const { service, manifest } = runtime;
  if (!manifest) {
    const advice = 'name the file with its manifest (manifest), so that K_SINK can be set there';
    return `nothing tells the Knative Service ${service} where to send its events: ${advice}`;
  }
  if (broker.url === undefined)
    return `where Brokers of class ${broker.class} take events is not known here, and K_SINK needs it: set broker.url`;
  if (containersIn(manifest).length === 0) return `the manifest of the Knative Service ${service} has no containers`;
  return undefined;
}

/** SinkBinding sets K_SINK in what a Deployment starts. Not in a Knative Service: each change of it is a new revision. */
function bindingOf(workflow: WiredWorkflow, set: WireSet): PlannedObject | undefined {
  const { runtime, emits } = workflow;
  const { namespace, broker } = set;
  if (emits.length === 0 || (runtime?.kind !== 'deployment' && runtime?.kind !== 'sonataflow')) return undefined;
  const name = runtime.kind === 'deployment' ? runtime.deployment : runtime.service;
  const sink = { ref: brokerReference(broker, namespace) };
  const spec = { subject: { ...DEPLOYMENT, namespace, name }, sink };
  return { object: { ...SINK_BINDING, metadata: { name, namespace }, spec }, because: emittedBy(workflow, set) };
}

function serviceOf(workflow: WiredWorkflow, set: WireSet): PlannedObject | undefined {
  const { runtime, emits } = workflow;
  if (runtime?.kind !== 'knative-service' || !runtime.manifest) return undefined;
  const { manifest } = runtime;
  const { namespace, broker } = set;
  const because = [`as its manifest has it${emits.length > 0 ? ', and K_SINK' : ''}`, ...emittedBy(workflow, set)];
  const object = emits.length > 0 && broker.url !== undefined ? withSink(manifest, broker.url) : manifest;
  return { object: { ...object, metadata: { ...object.metadata, namespace } }, because };
}

function emittedBy({ emits }: WiredWorkflow, set: WireSet): string[] {
  return emits.map((event) => `${placeText(event, set)} emits ${event.type ?? 'a type that it computes'}`);
}

/** The manifest with K_SINK in the environment of its first container, which is the one that is sent requests. */
function withSink(manifest: KubeManifest, url: string): KubeManifest {
  const [first, ...others] = containersIn(manifest);
  const env = listOf(first?.['env']).filter((one) => !isObject(one) || one['name'] !== K_SINK);
  const container = { ...first, env: [...env, { name: K_SINK, value: url }] };
  const { spec, template, pod } = partsOf(manifest);
  return {
    ...manifest,
    spec: { ...spec, template: { ...template, spec: { ...pod, containers: [container, ...others] } } },
  };
}

function containersIn(manifest: KubeManifest) {
  return listOf(partsOf(manifest).pod['containers']).filter(isObject);
}

function partsOf(manifest: KubeManifest) {
  const objectIn = (value: unknown) => (isObject(value) ? value : {});
  const spec = objectIn(manifest['spec']);
  const template = objectIn(spec['template']);
  return { spec, template, pod: objectIn(template['spec']) };
}
