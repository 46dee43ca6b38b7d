import type { KubeObject, ObjectKind } from '../controller/objects.ts';
import { nameOf, referenceTo } from '../controller/objects.ts';
import type { SecretKeyRef } from '../sources/contract.ts';
import type { SinkDestination } from '../sources/fields.ts';
import { localUrlOf } from './cluster-urls.ts';
import { DEPLOYMENT, KNATIVE_SERVICE, SERVICE, SINK_BINDING } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { conditionsOf } from './observed-objects.ts';
import { type Judgement, refusal } from './readiness.ts';

/** Where what a Service stands for is reached. */
export const LOCAL_URL = 'local.headwater.dev/url';
/** What is run in place of an object's containers. */
export const LOCAL_COMMAND = 'local.headwater.dev/command';

/** The kinds whose objects can be run. */
export const WORKLOADS: readonly ObjectKind[] = [SERVICE, KNATIVE_SERVICE, DEPLOYMENT];

type Labels = Readonly<Record<string, string>>;

export interface SinkBindingSpec {
  readonly subject: ObjectKind & { readonly name?: string; readonly selector?: { readonly matchLabels?: Labels } };
  readonly sink: SinkDestination;
  readonly ceOverrides?: object;
}

interface EnvVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly secretKeyRef?: SecretKeyRef & { readonly optional?: boolean } };
}

interface WorkloadSpec {
  readonly template?: {
    readonly metadata?: { readonly labels?: Labels };
    readonly spec?: { readonly containers?: readonly { readonly env?: readonly EnvVariable[] }[] };
  };
}

export function annotationOf({ metadata: { annotations } }: KubeObject, name: string): string | undefined {
  return annotations?.[name];
}

export function commandOf(object: KubeObject): string | undefined {
  return annotationOf(object, LOCAL_COMMAND)?.trim() || undefined;
}

/** The objects that a SinkBinding is for. */
export function subjectsOf({ metadata, spec }: KubeObject, cluster: MemoryCluster): KubeObject[] {
  const { subject } = spec as SinkBindingSpec;
  return cluster
    .all(subject)
    .filter((object) => object.metadata.namespace === metadata.namespace)
    .filter(({ metadata: { name, labels } }) =>
      subject.name === undefined ? hasLabels(labels, subject.selector?.matchLabels) : name === subject.name,
    );
}

/** The Deployments whose pods a Service is for. */
export function deploymentsOf({ metadata, spec }: KubeObject, cluster: MemoryCluster): KubeObject[] {
  const { selector } = (spec ?? {}) as { selector?: Labels };
  return cluster
    .all(DEPLOYMENT)
    .filter((object) => object.metadata.namespace === metadata.namespace)
    .filter((object) => hasLabels(podsOf(object)?.metadata?.labels, selector));
}

function podsOf({ spec }: KubeObject): WorkloadSpec['template'] {
  const { template }: WorkloadSpec = spec ?? {};
  return template;
}

/** No labels asked for: none has them. */
function hasLabels(labels: Labels = {}, wanted: Labels = {}): boolean {
  const entries = Object.entries(wanted);
  return entries.length > 0 && entries.every(([name, value]) => labels[name] === value);
}

/** What the environment of an object's first container says, SinkBindings included; or why it cannot be known now. */
export async function environmentOf(
  object: KubeObject,
  cluster: MemoryCluster,
): Promise<{ readonly env: Readonly<Record<string, string>> } | { readonly blocked: Judgement }> {
  const env: Record<string, string> = {};
  const [container] = podsOf(object)?.spec?.containers ?? [];
  for (const { name, value, valueFrom } of container?.env ?? []) {
    if (valueFrom === undefined) {
      env[name] = localUrlOf(value ?? '', cluster);
      continue;
    }
    const found = await secretValue(valueFrom.secretKeyRef, object.metadata.namespace, cluster);
    if (found === undefined) continue;
    if ('missing' in found) return { blocked: refusal('EnvironmentNotFound', `env ${name}: ${found.missing}`) };
    env[name] = found.value;
  }
  for (const binding of cluster.all(SINK_BINDING)) {
    if (!subjectsOf(binding, cluster).some(({ metadata }) => metadata.uid === object.metadata.uid)) continue;
    const { sinkUri } = (binding.status ?? {}) as { sinkUri?: string };
    if (sinkUri === undefined) return { blocked: notReady(binding) };
    Object.assign(env, bindingEnvironment(binding, sinkUri));
  }
  return { env };
}

/** What Knative's SinkBinding puts into containers. */
function bindingEnvironment({ spec }: KubeObject, sinkUri: string): Record<string, string> {
  const { ceOverrides, sink } = spec as SinkBindingSpec;
  return {
    K_SINK: sinkUri,
    K_CE_OVERRIDES: ceOverrides === undefined ? '' : JSON.stringify(ceOverrides),
    ...(sink.CACerts !== undefined && { K_CA_CERTS: sink.CACerts }),
  };
}

function notReady(binding: KubeObject): Judgement {
  const [ready] = conditionsOf(binding);
  // Nobody looked at it yet.
  if (!ready) return { status: 'Unknown' };
  return refusal('SinkBindingNotReady', `${nameOf(referenceTo(binding))}: ${ready.message}`);
}

/** undefined: it may be left out. */
async function secretValue(
  ref: (SecretKeyRef & { readonly optional?: boolean }) | undefined,
  namespace: string,
  cluster: MemoryCluster,
): Promise<{ value: string } | { missing: string } | undefined> {
  if (!ref) return { missing: 'local mode reads value and valueFrom.secretKeyRef: set one of them' };
  const found = await cluster.readSecretKey(namespace, ref);
  if (found.found === 'value') return { value: found.value };
  if (ref.optional === true) return undefined;
  return { missing: `there is no key ${ref.key} in a Secret ${namespace}/${ref.name}: create it` };
}
