import { objectKindOf } from '../sources/crd.ts';
import { sources } from '../sources/registry.ts';
import { RefusedPlan, refuse } from './apply.ts';
import { called, type KubeKind, kindText, type LiveObject, nameOf, type WireCluster } from './cluster.ts';
import { type PlannedSet, SET_LABEL } from './plan.ts';
import { BROKER, KNATIVE_SERVICE, SINK_BINDING, TRIGGER } from './planned-object.ts';

/** What a set can hold, in the order it is taken away: nothing is sent that nobody takes. */
const KINDS: readonly KubeKind[] = [...sources.map(objectKindOf), TRIGGER, SINK_BINDING, KNATIVE_SERVICE, BROKER];

/**
 * The objects with the label of one of these sets that are not in its plan, of all namespaces.
 * @throws RefusedPlan
 */
export async function leftoversOf(sets: readonly PlannedSet[], cluster: WireCluster): Promise<readonly LiveObject[]> {
  const kinds: KubeKind[] = [];
  for (const kind of KINDS) if (await cluster.knows(kind)) kinds.push(kind);
  const hidden: string[] = [];
  for (const kind of kinds)
    if (!(await cluster.isAllowed('list', kind)))
      hidden.push(
        `you may not list objects of kind ${kindText(kind)} in all namespaces, so what is left over cannot be known`,
      );
  refuse(hidden);
  const leftovers: LiveObject[] = [];
  for (const kind of kinds)
    for (const { set, objects } of sets) {
      if (set.name === undefined) continue;
      const planned = new Set(objects.map(({ object }) => called(nameOf(object)) + object.apiVersion));
      const found = await cluster.withLabel(kind, SET_LABEL, set.name);
      leftovers.push(...found.filter((object) => !planned.has(called(nameOf(object)) + object.apiVersion)));
    }
  return leftovers;
}

/** How many objects have the label of one of these sets and are not in its plan; 0 where that may not be known. */
export async function countLeftovers(sets: readonly PlannedSet[], cluster: WireCluster): Promise<number> {
  try {
    return (await leftoversOf(sets, cluster)).length;
  } catch (error) {
    if (error instanceof RefusedPlan) return 0;
    throw error;
  }
}

/**
 * Removes the leftovers, or nothing when one of them may not be.
 * @throws RefusedPlan
 */
export async function removeAll(
  leftovers: readonly LiveObject[],
  cluster: WireCluster,
  onRemoved: (object: LiveObject) => void,
): Promise<void> {
  const kept: string[] = [];
  for (const object of leftovers)
    if (!(await cluster.isAllowed('delete', object, object.metadata.namespace)))
      kept.push(`you may not delete objects of kind ${object.kind} in namespace ${object.metadata.namespace}`);
  refuse(kept);
  for (const object of leftovers) {
    await cluster.remove(object);
    onRemoved(object);
  }
}
