import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Announcement } from '../../../controller/cluster.ts';
import type { ApiRequest } from '../../../controller/kube/api-client.ts';
import { EventRecorder } from '../../../controller/kube/events.ts';
import type { SourceObject } from '../../../controller/objects.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';

const PATH = '/api/v1/namespaces/demo/events';
const aSource = (uid: string) =>
  ({
    apiVersion: 'sources.knative.dev/v1alpha1',
    kind: 'GitHubSource',
    metadata: { name: 'hello', namespace: 'demo', uid, resourceVersion: '7' },
  }) as SourceObject;
const restored: Announcement = { type: 'Warning', reason: 'WebhookRestored', message: 'webhook 1 was gone' };

interface KubeEvent {
  readonly metadata: { readonly name: string };
  readonly count: number;
  readonly lastTimestamp: string;
}

let now: Date;
let events: Map<string, KubeEvent>;
let log: { msg: string }[];
let refuse: number | undefined;
let recorder: EventRecorder;
beforeEach(() => {
  now = new Date('2026-01-01T00:00:00Z');
  events = new Map();
  log = [];
  refuse = undefined;
  const call = async (method: string, path: string, { body }: ApiRequest = {}) => {
    const fields = body as KubeEvent;
    const code = refuse ?? (method === 'PATCH' && !events.has(path) ? 404 : undefined);
    if (code !== undefined) throw new ApiStatusError(`${method} ${path}`, code, 'refused');
    if (method === 'POST') events.set(`${path}/${fields.metadata.name}`, fields);
    else events.set(path, { ...(events.get(path) as KubeEvent), ...fields });
  };
  recorder = new EventRecorder({
    api: { call: call as never },
    now: () => now,
    log: pino({}, { write: (line) => void log.push(JSON.parse(line) as { msg: string }) }),
  });
});
const later = (minutes: number) => void (now = new Date(now.getTime() + minutes * 60_000));
const counts = () => [...events.values()].map(({ count }) => count);

describe('EventRecorder', () => {
  it('makes an Event about the source', async () => {
    await recorder.record(aSource('1'), restored);
    const [[path, event] = []] = events;
    expect(path).toBe(`${PATH}/${event?.metadata.name}`);
    expect(event).toMatchObject({
      ...restored,
      involvedObject: { kind: 'GitHubSource', namespace: 'demo', name: 'hello', uid: '1' },
      reportingComponent: 'githubsource-controller',
      count: 1,
    });
  });

  it('counts repeats of an hour, and nothing else', async () => {
    await recorder.record(aSource('1'), restored);
    later(10);
    await recorder.record(aSource('1'), restored);
    later(10);
    await recorder.record(aSource('1'), restored);
    expect(counts()).toEqual([3]);
    expect([...events.values()][0]?.lastTimestamp).toBe('2026-01-01T00:20:00.000Z');
    await recorder.record(aSource('2'), restored);
    await recorder.record(aSource('1'), { ...restored, message: 'webhook 2 was gone' });
    expect(counts()).toEqual([3, 1, 1]);
    later(61);
    await recorder.record(aSource('1'), restored);
    expect(counts()).toEqual([3, 1, 1, 1]);
  });

  it('makes a new one where the counted one is gone', async () => {
    await recorder.record(aSource('1'), restored);
    events.clear();
    await recorder.record(aSource('1'), restored);
    await recorder.record(aSource('1'), restored);
    expect(counts()).toEqual([2]);
  });

  it('cuts a flood of one source, and lets others speak', async () => {
    for (let index = 0; index < 100; index += 1)
      await recorder.record(aSource('1'), { ...restored, message: `webhook ${index} was gone` });
    expect(events.size).toBe(25);
    await recorder.record(aSource('2'), restored);
    later(5);
    await recorder.record(aSource('1'), { ...restored, message: 'later' });
    await recorder.record(aSource('1'), { ...restored, message: 'too soon' });
    expect(events.size).toBe(27);
    expect(log.filter(({ msg }) => msg.includes('too many'))).toHaveLength(76);
  });

  it('does not reject where none can be made', async () => {
    refuse = 403;
    await recorder.record(aSource('1'), restored);
    expect(log.map(({ msg }) => msg)).toEqual(['event not made']);
  });
});
