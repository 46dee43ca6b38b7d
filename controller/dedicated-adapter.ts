import type { Route } from '../core/route.ts';
import { type ChildDeps, ensureChild, isChildThere, removeChild } from './children.ts';
import type { Objects } from './cluster.ts';
import type { ObjectKind, ObjectReference, SourceObject } from './objects.ts';
import { knativeServiceUrl } from './public-address/knative-service.ts';
import { baseAt, type PublicAddresses } from './public-addresses.ts';
import {
  adapterDeployment,
  adapterDeploymentName,
  adapterService,
  HOOKS_SERVICE_PORT,
} from './resources/adapter-deployment.ts';
import { adapterKnativeService, featuresMissing, knativeServiceName } from './resources/adapter-knative-service.ts';
import type { DedicatedSettings } from './resources/adapter-pod.ts';
import { adapterRouteName } from './resources/adapter-route.ts';
import { deploymentServes, knativeServiceServes } from './rollout.ts';
import { isBlocked, type Reason, type Step } from './step.ts';

/** The adapter of one source: whether it serves the route, and where. */
export interface DedicatedAdapter {
  readonly serves: Step<undefined>;
  /** Base URL for the provider. */
  readonly base: Step<string>;
  readonly note?: Reason | undefined;
}

export interface DedicatedDeps extends ChildDeps {
  readonly addresses: PublicAddresses;
}

const KNATIVE_SERVICE: ObjectKind = { apiVersion: 'serving.knative.dev/v1', kind: 'Service' };
const DEPLOYMENT: ObjectKind = { apiVersion: 'apps/v1', kind: 'Deployment' };
const SERVICE: ObjectKind = { apiVersion: 'v1', kind: 'Service' };
const SECRET: ObjectKind = { apiVersion: 'v1', kind: 'Secret' };

/** The adapter of one source, made or changed to be as it should, for a route that is published beside it. */
export async function ensureDedicatedAdapter(
  source: SourceObject,
  route: Route,
  settings: DedicatedSettings,
  deps: DedicatedDeps,
): Promise<Step<DedicatedAdapter>> {
  return (await deps.children.knows(KNATIVE_SERVICE))
    ? ensureKnativeService(source, route, settings, deps)
    : ensureDeployment(source, route, settings, deps);
}

async function ensureKnativeService(
  source: SourceObject,
  route: Route,
  settings: DedicatedSettings,
  deps: ChildDeps,
): Promise<Step<DedicatedAdapter>> {
  const { nodeSelector, tolerations } = source.spec.adapter ?? {};
  const features = nodeSelector || tolerations ? await deps.children.servingFeatures() : new Map<string, string>();
  const service = await ensureChild(source, adapterKnativeService(source, route, settings, features), deps);
  if (isBlocked(service)) return service;
  const missing = featuresMissing(source, features);
  const message = `where the adapter runs is not as spec.adapter says: Knative Serving needs ${missing.join(' and ')} enabled in ConfigMap config-features`;
  const note = missing.length > 0 ? { reason: 'PlacementNotHonoured', message } : undefined;
  return { done: { serves: knativeServiceServes(service.done), base: knativeServiceUrl(service.done), note } };
}

async function ensureDeployment(
  source: SourceObject,
  route: Route,
  settings: DedicatedSettings,
  deps: DedicatedDeps,
): Promise<Step<DedicatedAdapter>> {
  const service = await ensureChild(source, adapterService(source), deps);
  if (isBlocked(service)) return service;
  const deployment = await ensureChild(source, adapterDeployment(source, route, settings), deps);
  if (isBlocked(deployment)) return deployment;
  const { name } = service.done.metadata;
  const why = `the provider cannot reach Service ${name}: make an HTTPRoute or an Ingress with port ${HOOKS_SERVICE_PORT.port} of it as its backend, or set spec.adapter.mode to shared`;
  const base = baseAt(await deps.addresses.of({ namespace: source.metadata.namespace, name }), why);
  return { done: { serves: deploymentServes(deployment.done), base } };
}

/** The host of a source's Knative Service, if there is one: nothing else is served there. */
export async function ownHostOf(source: SourceObject, objects: Pick<Objects, 'get'>): Promise<string | undefined> {
  const lookup = await objects.get(referenceIn(source, KNATIVE_SERVICE, knativeServiceName(source)));
  if (lookup.found !== 'object') return undefined;
  const url = knativeServiceUrl(lookup.object);
  return isBlocked(url) ? undefined : new URL(url.done).host;
}

/** Whether the source still has a Deployment from before Knative Serving came. */
export async function hasOldDeployment(source: SourceObject, { objects, children }: ChildDeps): Promise<boolean> {
  if (!(await children.knows(KNATIVE_SERVICE))) return false;
  return isChildThere(source, await objects.get(referenceIn(source, DEPLOYMENT, adapterDeploymentName(source))));
}

/**
 * Removes what no adapter of the source needs now. `all`: it is served by the shared one; else what is left of the other way
 * to run its own, from before Knative Serving came. The route goes last: while it is there, the rest is looked for. Resolves
 * to why something stays.
 */
export async function removeDedicatedAdapter(
  source: SourceObject,
  all: boolean,
  deps: ChildDeps,
): Promise<string | undefined> {
  const name = adapterDeploymentName(source);
  const ofDeployment = [referenceIn(source, DEPLOYMENT, name), referenceIn(source, SERVICE, name)];
  const ofServing = [referenceIn(source, KNATIVE_SERVICE, knativeServiceName(source))];
  const route = [referenceIn(source, SECRET, adapterRouteName(source))];
  const leftover = (await deps.children.knows(KNATIVE_SERVICE)) ? ofDeployment : [];
  for (const reference of all ? [...ofServing, ...ofDeployment, ...route] : leftover) {
    const fault = await removeChild(source, reference, deps);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function referenceIn({ metadata: { namespace } }: SourceObject, kind: ObjectKind, name: string): ObjectReference {
  return { ...kind, namespace, name };
}
