import type { Announcement } from './cluster.ts';
import type { Facts } from './facts.ts';
import type { SourceObject, SourceStatus } from './objects.ts';

/** The Kubernetes Events that tell what a look at a source changed in its status. */
export function announcementsOf(
  { metadata, status: before }: SourceObject,
  facts: Facts,
  after: SourceStatus,
): Announcement[] {
  const isNewSpec = before?.observedGeneration !== metadata.generation;
  const doubts = isNewSpec ? facts.plan.warnings : [];
  return [
    ...doubts.map((message): Announcement => ({ type: 'Warning', reason: 'SpecDoubtful', message })),
    ...turns(before, after),
  ];
}

function turns(before: SourceStatus | undefined, after: SourceStatus): Announcement[] {
  const ready = after.conditions?.find(({ type }) => type === 'Ready');
  const wasReady = before?.conditions?.find(({ type }) => type === 'Ready');
  if (!ready || (ready.status === wasReady?.status && ready.reason === wasReady.reason)) return [];
  if (ready.status === 'Unknown') return [];
  const condition = ready.type;
  if (ready.status === 'True') {
    return [{ type: 'Normal', reason: 'Ready', message: `events flow to ${after.sinkUri}`, condition }];
  }
  return [{ type: 'Warning', reason: ready.reason ?? 'NotReady', message: ready.message ?? '', condition }];
}
