import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { planOf } from '../../wire/plan.ts';
import { planText, yamlOf } from '../../wire/plan-text.ts';
import { readWiring } from '../../wire/read-wiring.ts';

const folder = join(import.meta.dirname, 'sets');

async function planned(...paths: string[]) {
  const { wiring, problems } = await readWiring(paths.map((path) => join(folder, path)));
  return { problems, plan: planOf(wiring) };
}

describe.each(['shop', 'mixed'])('the plan of %s', (name) => {
  it('is as the golden file has it', async () => {
    const { problems, plan } = await planned(name);
    expect([...problems, ...plan.problems]).toEqual([]);
    await expect(planText(plan.sets)).toMatchFileSnapshot(`../golden/wire/plan-${name}.yaml`);
  });

  it('is the same byte for byte, however the files are named', async () => {
    const [once, again] = [await planned(name), await planned(join(name, 'wire.yaml'))];
    expect(planText(again.plan.sets)).toBe(planText(once.plan.sets));
  });
});

it('of two sets at one Broker lets each consume what the sources of the other send', async () => {
  const { plan } = await planned('apart');
  expect(plan.problems).toEqual([]);
  const told = plan.sets.flatMap(({ objects }) =>
    objects.map(({ object: { kind, metadata, spec } }) => [metadata.name, kind, spec]),
  );
  expect(told).toMatchObject([
    ['acme-shop', 'GitHubSource', { eventTypes: ['issues'] }],
    ['issues-github-issues', 'Trigger', { filters: [{ exact: { action: 'opened' } }] }],
  ]);
});

it('asks of a source what can have the attributes wanted, and of the payload nothing that the source says itself', async () => {
  const { plan } = await planned('patterns');
  expect(plan.sets[0]?.sources[0]?.eventTypes).toEqual(['issues', 'pull_request_review']);
  expect(plan.sets[0]?.triggers.map(({ filters }) => filters)).toEqual([
    [
      {
        any: [
          { all: [{ exact: { review: 'approved' } }, { prefix: { type: 'dev.knative.source.github.' } }] },
          { exact: { type: 'dev.knative.source.github.issues' } },
          { exact: { type: 'dev.knative.source.github.ping' } },
        ],
      },
    ],
  ]);
});

it('asks of a source every type that a regular expression may mean, which no Trigger can ask for', async () => {
  const { plan } = await planned('either');
  expect(plan.problems).toEqual([]);
  expect(plan.sets[0]?.sources[0]?.eventTypes).toEqual(['issues', 'push']);
  expect(plan.sets[0]?.triggers.map(({ filters }) => filters)).toEqual([[]]);
});

it('says what keeps it from being whole', async () => {
  const { plan } = await planned('lacking');
  expect(
    plan.problems.map(({ file, line, message }) => `${file.replace(`${folder}/`, '')}:${line} ${message}`),
  ).toEqual([
    'lacking/wire.yaml:5 no workflow consumes an event of source acme-idle: name some in eventTypes, or leave the source out',
    'lacking/wire.yaml:7 nothing tells the Knative Service emitter where to send its events: name the file with its manifest (manifest), so that K_SINK can be set there',
    'lacking/wire.yaml:8 where Brokers of class constructor take events is not known here, and K_SINK needs it: set broker.url',
    'lacking/loose.yaml:1 no wiring file (wire.yaml) says where loose runs',
  ]);
});

it('refuses objects of one name, which one set would take from the other', async () => {
  const { plan } = await planned('twice');
  const advice = 'give one another name, or let one set have both';
  expect(
    plan.problems.map(({ file, line, message }) => `${file.replace(`${folder}/`, '')}:${line} ${message}`),
  ).toEqual([
    `twice/two.wire.yaml:2 Trigger default/flow-github-push is of the set one, too: ${advice}`,
    `twice/two.wire.yaml:2 GitHubSource default/acme-shop is of the set one, too: ${advice}`,
  ]);
});

it('asks for nothing that may arrive otherwise than it was compared', async () => {
  const { problems, plan } = await planned('uncertain');
  expect([...problems, ...plan.problems]).toEqual([]);
  const types = ['issues', 'issue_comment', 'pull_request', 'push'].map((name) => `dev.knative.source.github.${name}`);
  expect(plan.sets[0]?.triggers.map(({ filters }) => filters)).toEqual(types.map((type) => [{ exact: { type } }]));
});

it('writes texts so that kubectl, which reads YAML 1.1, takes them as texts', () => {
  const texts = { set: 'y', action: 'on', label: 'No', number: '012', time: '12:30:45', plain: 'opened' };
  expect(parse(yamlOf(texts), { version: '1.1' })).toEqual(texts);
  expect(yamlOf({ plain: 'opened' })).toBe('plain: opened\n');
});
