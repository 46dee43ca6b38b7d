import { messageOf } from '../core/errors.ts';
import {
  called,
  type KubeKind,
  kindText,
  type LiveObject,
  nameOf,
  type ObjectName,
  type WireCluster,
  WriteRefused,
} from './cluster.ts';
import { isObject } from './definition-text.ts';
import { type PlannedSet, SET_LABEL } from './plan.ts';
import { BROKER, type PlannedObject } from './planned-object.ts';

/** What became of an object. */
export interface Applied {
  readonly object: ObjectName;
  readonly outcome: 'created' | 'changed' | 'unchanged';
}

/** An object of a plan, as the cluster has it and as it would be. */
export interface Compared {
  readonly object: ObjectName;
  readonly before: LiveObject | undefined;
  readonly after: LiveObject;
}

/** Nothing was written; `problems` says why, a sentence each. */
export class RefusedPlan extends Error {
  override name = 'RefusedPlan';
  readonly problems: readonly string[];
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('; '), options);
    this.problems = problems;
  }
}

/**
 * Makes the cluster hold the objects of these sets. Whatever can be known beforehand is asked before anything is written:
 * kinds, rights, namespaces, the Broker, whose objects are there, and what the API server says of each object.
 * @throws RefusedPlan
 */
export async function applySets(
  sets: readonly PlannedSet[],
  cluster: WireCluster,
  { force, onApplied }: { readonly force: boolean; readonly onApplied: (applied: Applied) => void },
): Promise<void> {
  await compareSets(sets, cluster, { force });
  for (const { object } of sets.flatMap(({ objects }) => objects)) {
    const before = await cluster.read(nameOf(object));
    const after = await cluster.apply(object, { isDryRun: false, force });
    onApplied({ object: nameOf(object), outcome: outcomeOf(before, after) });
  }
}

function outcomeOf(before: LiveObject | undefined, after: LiveObject): Applied['outcome'] {
  if (!before) return 'created';
  return before.metadata.resourceVersion === after.metadata.resourceVersion ? 'unchanged' : 'changed';
}

/**
 * What `applySets` would do.
 * @throws RefusedPlan
 */
export async function compareSets(
  sets: readonly PlannedSet[],
  cluster: WireCluster,
  { force }: { readonly force: boolean },
): Promise<readonly Compared[]> {
  refuse(await missingIn(sets, cluster));
  const live = await Promise.all(sets.flatMap((set) => set.objects.map(({ object }) => ownedBy(set, object, cluster))));
  refuse(live.flatMap(({ problem }) => problem ?? []));
  const problems: string[] = [];
  const compared: Compared[] = [];
  for (const { object, before } of live) {
    try {
      const after = await cluster.apply(object, { isDryRun: true, force });
      compared.push({ object: nameOf(object), before, after });
    } catch (error) {
      if (!(error instanceof WriteRefused)) throw error;
      problems.push(`${called(nameOf(object))}: ${error.message}`);
    }
  }
  refuse(problems);
  return compared;
}

/** @throws RefusedPlan where there are any */
export function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new RefusedPlan([...new Set(problems)]);
}

/** What the cluster lacks, or does not allow. */
async function missingIn(sets: readonly PlannedSet[], cluster: WireCluster): Promise<string[]> {
  const objects = sets.flatMap((set) => set.objects.map(({ object }) => object));
  const kinds = new Map<string, KubeKind>(objects.map((object) => [kindText(object), object]));
  const unknown: string[] = [];
  for (const kind of kinds.values()) if (!(await cluster.knows(kind))) unknown.push(kindText(kind));
  if (unknown.length > 0) return unknown.map((kind) => `the cluster has no kind ${kind}: install what defines it`);
  const namespaces = new Set(objects.map(({ metadata }) => metadata.namespace));
  const found = await Promise.all([
    ...[...namespaces].map(async (name) =>
      (await cluster.hasNamespace(name)) ? [] : [`there is no namespace ${name}: create it first`],
    ),
    ...objects.map((object) => rightsMissing(object, cluster)),
    ...sets.map((set) => brokerProblems(set, cluster)),
  ]);
  return found.flat();
}

async function rightsMissing(object: PlannedObject['object'], cluster: WireCluster): Promise<string[]> {
  const { namespace } = object.metadata;
  const missing: string[] = [];
  for (const verb of ['get', 'create', 'patch'] as const)
    if (!(await cluster.isAllowed(verb, object, namespace)))
      missing.push(`you may not ${verb} objects of kind ${object.kind} in namespace ${namespace}`);
  return missing;
}

/** The Broker must be there, unless it is made, and where its class has it: K_SINK was computed from that. */
async function brokerProblems({ set, objects }: PlannedSet, cluster: WireCluster): Promise<string[]> {
  const { broker } = set;
  if (objects.length === 0) return [];
  const name: ObjectName = { ...BROKER, name: broker.name, namespace: broker.namespace };
  if (!(await cluster.knows(BROKER))) return [`the cluster has no kind ${kindText(BROKER)}: install Knative Eventing`];
  const live = await cluster.read(name);
  if (!live)
    return broker.create ? [] : [`${called(name)} not found: create it, or say broker.create in the wiring file`];
  const url = addressOf(live);
  const usesUrl = objects.some(({ object }) => JSON.stringify(object).includes('"K_SINK"'));
  if (!usesUrl || url === undefined || url === broker.url) return [];
  return [`${called(name)} takes events at ${url}, not ${broker.url}: say so in broker.url of the wiring file`];
}

function addressOf({ status }: LiveObject): string | undefined {
  const address = isObject(status) && status['address'];
  return isObject(address) && typeof address['url'] === 'string' ? address['url'] : undefined;
}

/** An object that is there and is not of the set is somebody else's. */
async function ownedBy({ set }: PlannedSet, object: PlannedObject['object'], cluster: WireCluster) {
  const before = await cluster.read(nameOf(object)).catch((error: unknown) => {
    throw new RefusedPlan([`${called(nameOf(object))} cannot be read: ${messageOf(error)}`], { cause: error });
  });
  const owner = before?.metadata.labels?.[SET_LABEL];
  if (!before || owner === set.name) return { object, before };
  const whose = owner === undefined ? 'is not of a set' : `is of the set ${owner}`;
  const advice = `delete it, or hand it over: label ${SET_LABEL}=${set.name}`;
  return { object, before, problem: `${called(nameOf(object))} is there and ${whose}: ${advice}` };
}
