import { randomBytes } from 'node:crypto';
import type { Announcement } from '../cluster.ts';
import type { SourceObject } from '../objects.ts';

const LONGEST_MESSAGE = 1024;

/** A Kubernetes Event (core/v1) about a source, as `kubectl describe` shows it. */
export function eventOf(
  { apiVersion, kind, metadata }: SourceObject,
  { type, reason, message }: Announcement,
  now: Date,
): object {
  const { name, namespace, uid, resourceVersion } = metadata;
  const time = now.toISOString();
  const short = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${name}.${randomBytes(8).toString('hex')}`, namespace },
    involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
    type,
    reason,
    message: short,
    source: { component: `${kind.toLowerCase()}-controller` },
    reportingComponent: `${kind.toLowerCase()}-controller`,
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  };
}
