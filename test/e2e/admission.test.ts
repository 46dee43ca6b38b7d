import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { type SchemaNode, validatorOf } from '../../core/schema.ts';
import { RealWorld } from './support/real-world.ts';

/** What the API server takes and refuses, and that a laptop takes and refuses the same. */
const world = new RealWorld();
beforeAll(() => world.open());
afterAll(() => world.stop());

const root = join(import.meta.dirname, '../..');
const crd = parse(await readFile(join(root, 'crds/githubsources.sources.knative.dev.yaml'), 'utf8')) as {
  spec: { versions: { schema: { openAPIV3Schema: { properties: { spec: SchemaNode } } } }[] };
};
const onLaptop = validatorOf(crd.spec.versions[0]?.schema.openAPIV3Schema.properties.spec ?? {});

async function refusalOf(object: object): Promise<string | undefined> {
  try {
    await world.apply(object);
    return undefined;
  } catch (error) {
    return String((error as { stderr?: string }).stderr ?? error);
  }
}

describe("upstream's samples", async () => {
  const text = await readFile(join(root, 'test/e2e/samples/upstream.yaml'), 'utf8');
  const samples = parseAllDocuments(text).map(
    (document) => document.toJS() as { metadata: { name: string }; spec: object },
  );

  it('are there', () => expect(samples.length).toBeGreaterThan(8));

  it.each(samples.map((sample) => [sample.metadata.name, sample] as const))('%s is accepted', async (_name, sample) => {
    expect(await refusalOf(sample)).toBeUndefined();
    expect(onLaptop(sample.spec)).toEqual([]);
  });
});

const service = { ref: { apiVersion: 'v1', kind: 'Service', name: 'x' } };
const brokerSink = { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } };

describe('accepted', () => {
  const accepted: Record<string, object> = {
    'a sink by object': { sink: service },
    'a sink by URL': { sink: { uri: 'https://x.example.com/in' } },
    'an object and a path': { sink: { ...service, uri: '/in?x=1' } },
    'an object of another namespace': { sink: { ref: { ...service.ref, namespace: 'other' } } },
    'a dead-letter sink by object': { delivery: { deadLetterSink: brokerSink } },
    'a dead-letter sink by URL': { delivery: { deadLetterSink: { uri: 'http://x.example.com' } } },
    'a dead-letter sink by object and path': { delivery: { deadLetterSink: { ...service, uri: '/dead' } } },
    'extensions of other names': { ceOverrides: { extensions: { team: 'a', subject: 'b' } } },
    'an event nobody knows yet': { eventTypes: ['brand_new_event'] },
    'all events': { eventTypes: ['*'] },
    'no access token': { accessToken: null },
    'a delivery policy': { delivery: { retry: 5, backoffPolicy: 'linear', backoffDelay: 'PT1S', timeout: 'PT2S' } },
  };
  it.each(Object.entries(accepted))('%s', async (name, spec) => {
    const source = world.source(spec, name.toLowerCase().replaceAll(' ', '-')) as { spec: object };
    expect(await refusalOf(source)).toBeUndefined();
    expect(onLaptop(source.spec)).toEqual([]);
  });
});

describe('refused, in words that help', () => {
  const absolute = /without ref, uri must be absolute, such as http:\/\/host\/path/;
  const path = /beside ref, uri must be a path/;
  const overridden = /id, source, type and specversion cannot be overridden/;
  const cases: [name: string, spec: object, says: RegExp][] = [
    ['a sink that names nothing', { sink: {} }, /set ref \(an object\) or uri \(a URL\)/],
    ['a sink that is a path alone', { sink: { uri: '/in' } }, absolute],
    ['an object and a whole URL', { sink: { ...service, uri: 'http://x.example.com' } }, path],
    ['a dead-letter sink that names nothing', { delivery: { deadLetterSink: {} } }, /set ref \(an object\) or uri/],
    ['a dead-letter sink that is a path alone', { delivery: { deadLetterSink: { uri: '/in' } } }, absolute],
    ['a dead-letter object and a whole URL', { delivery: { deadLetterSink: { ...service, uri: 'http://x/' } } }, path],
    ...['id', 'source', 'type', 'specversion'].map((name): [string, object, RegExp] => [
      `an overridden ${name}`,
      { ceOverrides: { extensions: { [name]: 'x' } } },
      overridden,
    ]),
    ['no events', { eventTypes: [] }, /eventTypes.*should have at least 1 items/s],
    ['what is no name of an event', { eventTypes: ['Push!'] }, /eventTypes\[0\].*should match/s],
    [
      'a secret that names no key',
      { secretToken: { secretKeyRef: { name: 'github' } } },
      /secretKeyRef(\): missing required field "key"|\.key: Required value)/,
    ],
    ['an owner that is empty', { ownerAndRepository: '' }, /ownerAndRepository.*at least 1 chars long/s],
    ['an unknown mode', { adapter: { mode: 'other' } }, /adapter\.mode.*supported values: "shared", "dedicated"/s],
    ['a duration that is none', { delivery: { timeout: '3s' } }, /delivery\.timeout.*should match/s],
    ['an unknown field', { evntTypes: ['push'] }, /unknown field "(spec\.)?evntTypes"/],
    [
      'events that are no list',
      { eventTypes: 'push' },
      /eventTypes.*(got "string", expected "array"|must be of type array)/,
    ],
  ];
  it.each(cases)('%s', async (_name, spec, says) => {
    const source = world.source(spec) as { spec: object };
    expect(await refusalOf(source)).toMatch(says);
    expect(onLaptop(source.spec)).not.toEqual([]);
  });

  it('and every rule of the definition is among them', () => {
    const rules = JSON.stringify(crd).match(/"message":"[^"]+"/g) ?? [];
    const said = cases.map(([, , says]) => says);
    expect(new Set(rules).size).toBe(4);
    for (const rule of rules) expect(said.some((says) => says.test(rule))).toBe(true);
  });
});
