import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BROKER, CHANNEL, KNATIVE_SERVICE, SERVICE, SUBSCRIPTION, TRIGGER } from '../../local/kinds.ts';
import { deliver, LocalDev } from '../support/local-dev.ts';

let local: LocalDev;
beforeEach(async () => void (local = await LocalDev.open()));
afterEach(() => local.end());

describe('what else is in the manifests', () => {
  const trigger = (spec: object) => ({ ...TRIGGER, metadata: { name: 't' }, spec: { broker: 'default', ...spec } });
  const broker = { ...BROKER, metadata: { name: 'default' } };
  const service = (annotations?: object) => ({
    ...SERVICE,
    metadata: { name: 'app', ...(annotations && { annotations }) },
  });
  const toApp = { subscriber: { ref: { ...SERVICE, name: 'app' } } };
  const at = (url: string) => ({ 'local.headwater.dev/url': url });

  const rows: { name: string; objects: object[]; condition: string; message?: RegExp }[] = [
    {
      name: 'no Broker',
      objects: [trigger({ subscriber: { uri: 'http://127.0.0.1:9' } })],
      condition: 'Ready=False BrokerDoesNotExist',
      message:
        /^Broker default\/default \(eventing\.knative\.dev\/v1\) not found: create it, or name another in spec\.broker$/,
    },
    {
      name: 'no Service',
      objects: [broker, trigger(toApp)],
      condition: 'Ready=False SubscriberNotFound',
      message: /^spec\.subscriber: Service default\/app \(v1\) not found: create it/,
    },
    {
      name: 'a Service of another apiVersion',
      objects: [broker, trigger(toApp), { ...service(at('http://127.0.0.1:9')), ...KNATIVE_SERVICE }],
      condition: 'Ready=False SubscriberNotFound',
      message:
        /Service default\/app \(v1\) not found: there is Service app of serving\.knative\.dev\/v1; did you mean that\?$/,
    },
    {
      name: 'a Service that runs nowhere',
      objects: [broker, trigger(toApp), service()],
      condition: 'Ready=False SubscriberNotFound',
      message:
        /^spec\.subscriber: Service default\/app: on a laptop nothing runs it: annotate it with local\.headwater\.dev\/url: http:/,
    },
    {
      name: 'a filter in CloudEvents SQL',
      objects: [broker, trigger({ subscriber: { uri: 'http://127.0.0.1:9' }, filters: [{ not: { cesql: 'TRUE' } }] })],
      condition: 'Ready=False FilterNotSupported',
      message: /^spec\.filters: cesql is not evaluated in local mode, so this Trigger wants no event here: say it with/,
    },
    {
      name: 'a Service with a URL',
      objects: [broker, trigger(toApp), service(at('http://127.0.0.1:9'))],
      condition: 'Ready=True',
    },
    {
      name: 'a Service with what is no URL',
      objects: [broker, trigger(toApp), service(at('here'))],
      condition: 'Ready=False SubscriberNotFound',
      message: /must be an http or https URL/,
    },
    {
      name: 'a Knative Service with a URL',
      objects: [
        broker,
        trigger({ subscriber: { ref: { ...KNATIVE_SERVICE, name: 'app' } } }),
        { ...service(at('http://127.0.0.1:9')), ...KNATIVE_SERVICE },
      ],
      condition: 'Ready=True',
    },
  ];
  for (const { name, objects, condition, message = /^$/ } of rows)
    it(`${name}: the Trigger says ${condition}`, async () => {
      await local.write('all.yaml', ...objects);
      await local.start();
      await local.becomes(condition, 'Trigger default/t');
      expect(local.message('Ready', 'Trigger default/t')).toMatch(message);
    });

  const channel = { ...CHANNEL, metadata: { name: 'c' } };
  const subscription = (spec: object) => ({
    ...SUBSCRIPTION,
    metadata: { name: 's' },
    spec: { channel: { ...CHANNEL, name: 'c' }, subscriber: { uri: 'http://127.0.0.1:9' }, ...spec },
  });
  const subscriptions: { name: string; objects: object[]; condition: string; message?: RegExp }[] = [
    {
      name: 'no Channel',
      objects: [subscription({})],
      condition: 'Ready=False ChannelReferenceFailed',
      message:
        /^Channel default\/c \(messaging\.knative\.dev\/v1\) not found: create it, or name another in spec\.channel$/,
    },
    {
      name: 'a Channel of a kind that is not here',
      objects: [
        subscription({ channel: { apiVersion: 'messaging.knative.dev/v1beta1', kind: 'KafkaChannel', name: 'k' } }),
      ],
      condition: 'Ready=False ChannelReferenceFailed',
      message: /^KafkaChannel default\/k \(.*\) is not of local mode: name a Channel, which is in memory here/,
    },
    {
      name: 'no subscriber',
      objects: [channel, subscription(toApp)],
      condition: 'Ready=False SubscriberResolveFailed',
      message: /^spec\.subscriber: Service default\/app \(v1\) not found: create it/,
    },
    {
      name: 'nothing to reply to',
      objects: [channel, subscription({ reply: { ref: { ...CHANNEL, name: 'd' } } })],
      condition: 'Ready=False ReplyResolveFailed',
      message: /^spec\.reply: Channel default\/d \(.*\) not found: create it/,
    },
    {
      name: 'no dead-letter sink',
      objects: [channel, subscription({ delivery: { deadLetterSink: toApp.subscriber } })],
      condition: 'Ready=False DeadLetterSinkResolveFailed',
      message: /^spec\.delivery\.deadLetterSink: Service default\/app \(v1\) not found/,
    },
    {
      name: 'all there',
      objects: [channel, subscription({ reply: { ref: { ...CHANNEL, name: 'c' } } })],
      condition: 'Ready=True',
    },
  ];
  for (const { name, objects, condition, message = /^$/ } of subscriptions)
    it(`${name}: the Subscription says ${condition}`, async () => {
      await local.write('all.yaml', ...objects);
      await local.start();
      await local.becomes(condition, 'Subscription default/s');
      expect(local.message('Ready', 'Subscription default/s')).toMatch(message);
    });

  it('a Service that runs nowhere says how to annotate it', async () => {
    await local.write('all.yaml', service());
    await local.start();
    await local.becomes('Ready=False NoLocalURL', 'Service default/app');
    expect(local.message('Ready', 'Service default/app')).toContain(
      'annotate it with local.headwater.dev/url: http://',
    );
  });

  it('a Service that is annotated later makes Trigger and source ready', async () => {
    const ref = { ...SERVICE, name: 'app' };
    await local.write('app.yaml', service());
    await local.write('all.yaml', broker, trigger(toApp), local.secret(), local.source({ sink: { ref } }));
    await local.start();
    await local.becomes('Ready=False NotAddressable');
    await local.write('app.yaml', service(at('http://127.0.0.1:9')));
    await local.becomes('Ready=True');
    await local.becomes('Ready=True', 'Trigger default/t');
    expect(local.hooks()).toHaveLength(1);
  });

  it('an adapter of its own is the one there is', async () => {
    await local.write('all.yaml', local.secret(), local.source({ adapter: { mode: 'dedicated' } }));
    await local.start();
    await local.becomes('Ready=True');
    expect(local.hooks()).toHaveLength(1);
  });

  it('kinds that local mode does not know are named once', async () => {
    const unknown = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'a' }, spec: {} };
    await local.write('all.yaml', unknown, { ...unknown, metadata: { name: 'b' } }, local.secret());
    await local.start();
    const message = 'StatefulSet (apps/v1) is no kind of local mode: skipped';
    expect(local.lines.filter((line) => line.type === 'note' && line.message.includes('StatefulSet'))).toEqual([
      { type: 'note', message },
    ]);
  });

  it('events go from source to Broker to Trigger to dumper', async () => {
    const dumper = { ...SERVICE, metadata: { name: 'event-dumper' } };
    const toDumper = trigger({ subscriber: { ref: { ...SERVICE, name: 'event-dumper' } } });
    const sink = { ref: { ...BROKER, name: 'default' } };
    await local.write('all.yaml', broker, toDumper, dumper, local.secret(), local.source({ sink }));
    await local.start({ publicUrl: undefined });
    await local.becomes('Ready=True');
    await local.becomes('Ready=True', 'Trigger default/t');
    expect((await deliver(local.hooks()[0]?.split(' ')[1] ?? '')).status).toBe(202);
    await local.holds(() => expect(local.lines.filter(({ type }) => type === 'event')).toHaveLength(1));
    const event = local.lines.find((line) => line.type === 'event');
    expect(event?.event).toMatchObject({
      mode: 'binary',
      data: Buffer.from('{"ref":"x"}'),
      attributes: { type: 'dev.knative.source.github.push' },
    });
  });

  it('a Trigger picks what is about one pull request, where the source asks for its number', async () => {
    const dumper = { ...SERVICE, metadata: { name: 'event-dumper' } };
    const subscriber = { ref: { ...SERVICE, name: 'event-dumper' } };
    const ofSeven = trigger({ filter: { attributes: { githubnumber: '7' } }, subscriber });
    const source = local.source({
      correlation: true,
      eventTypes: ['*'],
      sink: { ref: { ...BROKER, name: 'default' } },
    });
    await local.write('all.yaml', broker, ofSeven, dumper, local.secret(), source);
    await local.start({ publicUrl: undefined });
    await local.becomes('Ready=True');
    await local.becomes('Ready=True', 'Trigger default/t');
    const url = local.hooks()[0]?.split(' ')[1] ?? '';
    const events = [
      { eventType: 'pull_request', payload: { pull_request: { number: 7 } } },
      { eventType: 'pull_request_review', payload: { review: { id: 1 }, pull_request: { number: 8 } } },
      { eventType: 'push', payload: { compare: '7' } },
      { eventType: 'issue_comment', payload: { comment: { html_url: 'https://x/7#c1' }, issue: { number: 7 } } },
    ];
    for (const event of events) expect((await deliver(url, undefined, event)).status).toBe(202);
    await local.holds(() => expect(local.lines.filter(({ type }) => type === 'unwanted')).toHaveLength(2));
    await local.holds(() => expect(local.lines.filter(({ type }) => type === 'event')).toHaveLength(2));
    const seen = local.lines.flatMap((line) => (line.type === 'event' ? [line.event.attributes] : []));
    expect(seen.map(({ type, subject }) => [type, subject].join(' ')).toSorted()).toEqual([
      'dev.knative.source.github.issue_comment 7#c1',
      'dev.knative.source.github.pull_request 7',
    ]);
  });
});
