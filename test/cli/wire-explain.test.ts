import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headwater } from '../support/headwater.ts';

const files = {
  'wire.yaml': `name: shop
broker: { name: events }
sources: [{ kind: GitHubSource, repository: acme/shop, secret: github }]
workflows:
  - { file: checker.yaml, runtime: deployment, attributes: { team: web } }
`,
  'checker.yaml': `document: { dsl: 1.0.3, namespace: shop, name: checker, version: 1.0.0 }
schedule:
  on:
    one:
      with:
        type: dev.knative.source.github.pull_request
        source: https://github.com/acme/shop
        owner: acme
        data: \${ .action == "opened" and .pull_request.draft == false }
do:
  - wait:
      listen:
        to:
          one:
            with: { type: dev.knative.source.github.pull_request_review, data: '\${ .review.state == "approved" }' }
            correlate: { pr: { from: .githubnumber } }
`,
  'by-hand.yaml': `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata: { name: by-hand }
spec:
  broker: events
  filters:
    - { prefix: { type: dev.knative.source.github. } }
    - { not: { exact: { sender: robot } } }
    - { suffix: { subject: '7' } }
  subscriber: { uri: http://elsewhere.example.com/ }
`,
};
const opened = {
  specversion: '1.0',
  id: '1',
  type: 'dev.knative.source.github.pull_request',
  source: 'https://github.com/acme/shop',
  subject: '7',
  action: 'opened',
  owner: 'acme',
  sender: 'mona',
  team: 'web',
  data: { action: 'opened', pull_request: { draft: false } },
};
const review = {
  ...opened,
  type: 'dev.knative.source.github.pull_request_review',
  githubnumber: '7',
  review: 'approved',
  data: { review: { state: 'approved' } },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-explain-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function explained(event: object, ...more: string[]) {
  const file = join(folder, 'event.json.txt');
  await writeFile(file, `${JSON.stringify(event)}\n`);
  const { code, stdout, stderr } = await headwater('wire', 'explain', file, '-f', folder, ...more);
  return { code, stderr, lines: stdout.replaceAll(`${folder}/`, '').trimEnd().split('\n') };
}

it('says which Triggers match and which step takes the event, those first', async () => {
  const { code, lines } = await explained(opened);
  expect(code).toBe(0);
  expect(lines.filter((line) => !line.startsWith(' '))).toEqual([
    'Trigger default/by-hand of Broker events: matches; it goes to http://elsewhere.example.com/',
    'Trigger default/checker-github-pull-request of Broker events: matches; it goes to Service checker',
    'Trigger default/checker-github-pull-request-review of Broker events: does not match',
    'workflow checker, schedule.on (checker.yaml:4): starts a new instance',
    'workflow checker, wait (checker.yaml:14): does not take it',
  ]);
});

it('says which instance an event is for', async () => {
  const at = 'workflow checker, wait (checker.yaml:14): goes on with an instance that waits';
  const { lines } = await explained(review);
  expect(lines.slice(lines.indexOf(at), lines.indexOf(at) + 2)).toEqual([
    at,
    '  the instance: that whose githubnumber is "7"',
  ]);
  const { githubnumber: _without, ...nameless } = review;
  const not = await explained(nameless);
  expect(not.lines).toContain('  no instance is found: it carries no githubnumber');
  expect(not.lines).toContain('workflow checker, wait (checker.yaml:14): does not take it');
});

const asked = (name: string, found: string, wanted: string) => `  ${name} is "${found}", and asked for is "${wanted}"`;
const mistakes: { name: string; event: object; says: string }[] = [
  {
    name: 'the type',
    event: { ...opened, type: 'dev.knative.source.github.push' },
    says: asked('type', 'dev.knative.source.github.push', opened.type),
  },
  {
    name: 'the source',
    event: { ...opened, source: 'https://github.com/acme/web' },
    says: asked('source', 'https://github.com/acme/web', opened.source),
  },
  { name: 'the action', event: { ...opened, action: 'closed' }, says: asked('action', 'closed', 'opened') },
  { name: 'the owner', event: { ...opened, owner: 'other' }, says: asked('owner', 'other', 'acme') },
  { name: 'an attribute of wire.yaml', event: { ...opened, team: 'app' }, says: asked('team', 'app', 'web') },
  {
    name: 'an attribute that is absent',
    event: { ...opened, team: undefined },
    says: '  there is no team, and asked for is "web"',
  },
  {
    name: 'a beginning',
    event: { ...opened, type: 'com.example.x' },
    says: asked('type', 'com.example.x', 'dev.knative.source.github.…'),
  },
  { name: 'an end', event: { ...opened, subject: '8' }, says: asked('subject', '8', '…7') },
  { name: 'what must not be', event: { ...opened, sender: 'robot' }, says: asked('sender', 'robot', 'not robot') },
  {
    name: 'a member of the data',
    event: { ...opened, data: { action: 'opened', pull_request: { draft: true } } },
    says: asked('.pull_request.draft', 'true', 'false'),
  },
  {
    name: 'a state of the review',
    event: { ...review, data: { review: { state: 'dismissed' } } },
    says: asked('.review.state', 'dismissed', 'approved'),
  },
];
describe('names what fails:', () => {
  for (const { name, event, says } of mistakes)
    it(name, async () => {
      expect((await explained(opened)).lines).not.toContain(says);
      expect((await explained(event)).lines).toContain(says);
    });
});

it('ends with 1 when nobody takes the event, and with 2 when that cannot be told', async () => {
  expect((await explained({ ...opened, type: 'other' })).code).toBe(1);
  const { code, stderr } = await explained({ specversion: '1.0' });
  expect({ code, stderr: stderr.replace(folder, '') }).toEqual({
    code: 2,
    stderr: 'headwater wire explain: /event.json.txt: it is no CloudEvent: it has no id, source, type\n',
  });
  const two = join(folder, 'two.txt');
  await writeFile(two, `${JSON.stringify(opened)}\n${JSON.stringify(review)}\n`);
  expect(await headwater('wire', 'explain', two, '-f', folder)).toEqual({
    code: 2,
    stdout: '',
    stderr: `headwater wire explain: ${two}: it is no CloudEvent: it holds 2 events, and one is explained\n`,
  });
  expect(await headwater('wire', 'explain')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('name one file with a CloudEvent'),
  });
});

it('reads what the dumper prints, and answers in JSON', async () => {
  const { code, lines } = await explained(
    { ...opened, headwater: { receivedAt: '2026-01-01T00:00:00Z' } },
    '--output',
    'json',
  );
  expect(code).toBe(0);
  expect(JSON.parse(lines.join('\n'))).toMatchObject({
    triggers: [
      { name: 'by-hand', mismatches: [] },
      { mismatches: [] },
      { mismatches: [{ name: 'type' }, { name: 'review' }] },
    ],
    steps: [{ step: 'schedule.on', isReached: true }, { step: 'wait' }],
  });
});
