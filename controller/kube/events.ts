import { randomBytes } from 'node:crypto';
import { messageOf } from '../../core/errors.ts';
import { ApiStatusError } from '../../core/list-watch.ts';
import type { Log } from '../../core/log.ts';
import type { Announcement } from '../cluster.ts';
import { keyOf, referenceTo, type SourceObject } from '../objects.ts';
import { TokenBucket } from '../token-bucket.ts';
import type { ApiClient } from './api-client.ts';
import { MERGE_PATCH } from './merge-patch.ts';

const LONGEST_MESSAGE = 1024;
/** As client-go limits what is said of one object. */
const OF_ONE_SOURCE = { burst: 25, perSecond: 1 / 300 };
/** Events are kept for an hour; a repeat within it is counted. */
const REPEAT_MS = 3_600_000;
const MOST_REMEMBERED = 4096;

export interface EventRecorderOptions {
  readonly api: Pick<ApiClient, 'call'>;
  readonly now: () => Date;
  readonly log: Log;
}

interface Said {
  readonly path: string;
  readonly at: number;
  readonly count: number;
}

/** Kubernetes Events (core/v1) about sources, as `kubectl describe` shows them: repeats are counted, floods are cut. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  /** By what is said of which source, the one said longest ago first. */
  readonly #said = new Map<string, Said>();
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  /** Never rejects: an Event is a courtesy. In a namespace that is going away none can be made. */
  async record(source: SourceObject, announcement: Announcement): Promise<void> {
    const { log, now } = this.#options;
    const at = now();
    const about = { source: keyOf(referenceTo(source)), reason: announcement.reason };
    if (!this.#bucketOf(source.metadata.uid, at).tryTake(at.getTime())) {
      log.warn(about, 'event not made: too many of this source');
      return;
    }
    try {
      await this.#write(source, announcement, at);
    } catch (error) {
      log.warn({ ...about, error: messageOf(error) }, 'event not made');
    }
  }

  async #write(source: SourceObject, announcement: Announcement, at: Date): Promise<void> {
    const { type, reason, message } = announcement;
    const key = [source.metadata.uid, type, reason, message].join('|');
    const before = this.#said.get(key);
    const isRepeat = before && at.getTime() - before.at < REPEAT_MS;
    this.#said.delete(key);
    const path = (isRepeat && (await this.#count(before, at))) || (await this.#make(source, announcement, at));
    remember(this.#said, key, { path, at: at.getTime(), count: path === before?.path ? before.count + 1 : 1 });
  }

  /** Resolves to the path of the Event; undefined: it is gone. */
  async #count({ path, count }: Said, at: Date): Promise<string | undefined> {
    const body = { count: count + 1, lastTimestamp: at.toISOString() };
    try {
      await this.#options.api.call('PATCH', path, { body, contentType: MERGE_PATCH });
      return path;
    } catch (error) {
      if (error instanceof ApiStatusError && error.code === 404) return undefined;
      throw error;
    }
  }

  /** Resolves to the path of the new Event. */
  async #make(source: SourceObject, announcement: Announcement, at: Date): Promise<string> {
    const { namespace, name } = source.metadata;
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    const event = `${name}.${randomBytes(8).toString('hex')}`;
    await this.#options.api.call('POST', path, { body: eventOf(source, announcement, { name: event, at }) });
    return `${path}/${encodeURIComponent(event)}`;
  }

  #bucketOf(uid: string, at: Date): TokenBucket {
    const bucket = this.#buckets.get(uid) ?? new TokenBucket(OF_ONE_SOURCE, at.getTime());
    remember(this.#buckets, uid, bucket);
    return bucket;
  }
}

/** The last of so many; what was remembered longest ago goes. */
function remember<Value>(values: Map<string, Value>, key: string, value: Value): void {
  values.delete(key);
  values.set(key, value);
  const [oldest] = values.keys();
  if (values.size > MOST_REMEMBERED && oldest !== undefined) values.delete(oldest);
}

function eventOf(
  { apiVersion, kind, metadata }: SourceObject,
  { type, reason, message }: Announcement,
  { name: event, at }: { name: string; at: Date },
): object {
  const { name, namespace, uid, resourceVersion } = metadata;
  const time = at.toISOString();
  const short = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE - 1)}…` : message;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: event, namespace },
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
