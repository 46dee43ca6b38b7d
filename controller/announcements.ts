import type { Route } from '../core/route.ts';
import type { Announcement } from './cluster.ts';
import type { Facts } from './facts.ts';
import type { Condition, SourceObject, SourceStatus } from './objects.ts';
import { wasLeftAside } from './step-aside.ts';

/** The Kubernetes Events that tell what a look at a source changed in its status. */
export function announcementsOf(source: SourceObject, facts: Facts, after: SourceStatus): Announcement[] {
  const { metadata, status: before } = source;
  const isNewSpec = before?.observedGeneration !== metadata.generation;
  const doubts = isNewSpec ? facts.plan.warnings : [];
  return [
    ...(wasLeftAside(source) ? [TAKEN_OVER] : []),
    ...doubts.map((message): Announcement => ({ type: 'Warning', reason: 'SpecDoubtful', message })),
    ...notes(before, after),
    ...turns(before, after),
  ];
}

/** `route`: its replaced secrets have an end. */
export function secretRotated({ secretTokens }: Route): Announcement {
  const [last] = secretTokens
    .flatMap(({ validUntil }) => validUntil ?? [])
    .toSorted()
    .toReversed();
  const message = `the provider signs with the new secret; what it replaced is accepted until ${last}`;
  return { type: 'Normal', reason: 'SecretRotated', message };
}

const TAKEN_OVER: Announcement = {
  type: 'Normal',
  reason: 'TakenOver',
  message: 'the controller that served this source before is gone: it is served here from now on',
};

/** They come and go by themselves, for all sources of a provider at once. */
const NOT_TOLD = new Set(['NotCompared']);

/** What a condition says, since this look, though it is True. */
function notes(before: SourceStatus | undefined, after: SourceStatus): Announcement[] {
  const notesIn = ({ conditions = [] }: SourceStatus) =>
    conditions.filter(({ status, reason = '' }) => status === 'True' && reason !== '' && !NOT_TOLD.has(reason));
  const known = new Set(notesIn(before ?? {}).map(({ reason }) => reason));
  return notesIn(after)
    .filter(({ reason }) => !known.has(reason))
    .map(({ type: condition, reason = '', message = '' }) => ({ type: 'Warning', reason, message, condition }));
}

/** Of a condition that is Unknown, nothing is told but what its user has to do. */
const TO_DO = new Set(['WaitingForDelivery']);

function turns(before: SourceStatus | undefined, after: SourceStatus): Announcement[] {
  const readyIn = (status: SourceStatus | undefined) => status?.conditions?.find(({ type }) => type === 'Ready');
  const [ready, wasReady] = [readyIn(after), readyIn(before)];
  if (!ready || (ready.status === wasReady?.status && ready.reason === wasReady.reason)) return [];
  return turnTo(ready, after);
}

function turnTo({ type: condition, status, reason = 'NotReady', message = '' }: Condition, after: SourceStatus) {
  const told: Record<Condition['status'], Announcement[]> = {
    True: [{ type: 'Normal', reason: 'Ready', message: `events flow to ${after.sinkUri}`, condition }],
    False: [{ type: 'Warning', reason, message, condition }],
    Unknown: TO_DO.has(reason) ? [{ type: 'Normal', reason, message, condition }] : [],
  };
  return told[status];
}
