import type { ReconcileDeps } from './deps.ts';
import { type Condition, referenceTo, type SourceObject, type SourceStatus } from './objects.ts';
import type { Retry } from './step.ts';
import type { UpstreamState } from './upstream.ts';

const CONDITION = 'UpstreamControllerRunning';
const MESSAGE = 'another controller serves this source, so nothing is done here: stop it, and this one takes over';

/**
 * What is done for a source while the controller that served it before is at work: nothing, but that it is said, once.
 * Each write makes that controller look at the source again and write the webhook, and the condition has a severity
 * since without one it would have a part in the Ready which that controller computes.
 */
export async function stepAside(
  source: SourceObject,
  state: Exclude<UpstreamState, 'gone'>,
  { cluster, oldServices, census, now }: Pick<ReconcileDeps, 'cluster' | 'oldServices' | 'census' | 'now'>,
): Promise<Retry> {
  oldServices.forget(referenceTo(source));
  census.forget(referenceTo(source));
  if (state === 'running' && !wasLeftAside(source) && source.metadata.deletionTimestamp === undefined) {
    await cluster.writeStatus(source, saidOf(source, now()));
    await cluster.announce(source, {
      type: 'Normal',
      reason: 'LeftToOtherController',
      message: MESSAGE,
      condition: CONDITION,
    });
  }
  return { when: 'changed' };
}

/** Whether the last that was said of the source here is that another controller serves it. */
export function wasLeftAside({ status }: Pick<SourceObject, 'status'>): boolean {
  return status?.conditions?.some((condition) => condition.type === CONDITION && condition.status === 'True') ?? false;
}

/** All that was there stays as it is. */
function saidOf({ status = {} }: SourceObject, now: Date): SourceStatus {
  const condition: Condition = {
    type: CONDITION,
    status: 'True',
    severity: 'Info',
    reason: 'LeaseRenewed',
    message: MESSAGE,
    lastTransitionTime: now.toISOString(),
  };
  const others = (status.conditions ?? []).filter(({ type }) => type !== CONDITION);
  return { ...status, conditions: [...others, condition] };
}
