import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { checkWiring } from '../../../wire/check/check-wiring.ts';
import type { LiveEventType } from '../../../wire/check/consumed-rules.ts';
import { readWiring } from '../../../wire/read-wiring.ts';

let folder: string | undefined;
afterEach(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true });
  folder = undefined;
});

/** `file:line severity rule: message`, of files of these texts. */
async function found(files: Readonly<Record<string, string>>, live: LiveEventType[] = []): Promise<string[]> {
  folder = await mkdtemp(join(tmpdir(), 'headwater-check-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const { wiring, problems } = await readWiring([folder]);
  expect(problems).toEqual([]);
  return checkWiring(wiring, live).map(({ place, severity, rule, message }) =>
    `${place.file.slice(`${folder}/`.length)}:${place.line} ${severity} ${rule}: ${message}`.replaceAll(
      `${folder}/`,
      '',
    ),
  );
}

/** A workflow that is as it should be: started by pull requests, goes on with the review of the same one. */
const flow = `document: { dsl: 1.0.3, namespace: shop, name: checker, version: 1.0.0 }
schedule:
  on:
    one:
      with:
        type: dev.knative.source.github.pull_request
        data: \${ .action == "opened" }
do:
  - wait:
      listen:
        to:
          one:
            with:
              type: dev.knative.source.github.pull_request_review
            correlate:
              pr:
                from: .githubnumber
  - tell:
      emit:
        event:
          with:
            type: shop.checked
            source: /checker
`;
const wire = `name: shop
broker: { name: events, create: true }
delivery:
  deadLetterSink: { ref: { apiVersion: v1, kind: Service, name: lost } }
sources:
  - kind: GitHubSource
    repository: acme/shop
    secret: github
workflows:
  - file: checker.yaml
    runtime: deployment
  - file: reader.yaml
    runtime: deployment
`;
const reader = `document: { dsl: 1.0.3, namespace: shop, name: reader, version: 1.0.0 }
schedule:
  on:
    one:
      with:
        type: shop.checked
do:
  - done: { set: { done: true } }
`;
const files = { 'wire.yaml': wire, 'checker.yaml': flow, 'reader.yaml': reader };
const changed = (file: keyof typeof files, ...pairs: [string, string][]) => ({
  ...files,
  [file]: pairs.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, files[file]),
});

it('says nothing of what is as it should be', async () => {
  expect(await found(files)).toEqual([]);
});

const seeds: { name: string; files: Record<string, string>; findings: string[] }[] = [
  {
    name: 'a type nobody produces',
    files: changed('checker.yaml', ['github.pull_request\n', 'github.pull_requests\n']),
    findings: [
      'checker.yaml:6 error no-producer: nobody here produces dev.knative.source.github.pull_requests; did you mean dev.knative.source.github.pull_request?',
    ],
  },
  {
    name: 'a source that sends nothing here',
    files: changed('checker.yaml', [
      'github.pull_request\n',
      'github.pull_request\n        source: https://github.com/acme/web\n',
    ]),
    findings: [
      'checker.yaml:7 error source-mismatch: events of this type come with source https://github.com/acme/shop, and https://github.com/acme/web is asked for',
    ],
  },
  {
    name: 'another repository',
    files: changed('checker.yaml', ['github.pull_request\n', 'github.pull_request\n        repository: web\n']),
    findings: ['checker.yaml:7 error source-mismatch: repository is always shop here, and web is asked for'],
  },
  {
    name: 'a wait without correlation',
    files: changed('checker.yaml', [
      '            correlate:\n              pr:\n                from: .githubnumber\n',
      '',
    ]),
    findings: [
      'checker.yaml:12 warning no-correlation: wait says nothing of which instance an event is for: each one that waits takes it; correlate it',
    ],
  },
  {
    name: 'a correlation by an attribute that never comes',
    files: changed('checker.yaml', ['.githubnumber', '.githubnumbr']),
    findings: [
      'checker.yaml:16 error correlation-never-set: no event of this type carries the attribute githubnumbr, by which the instance is found; did you mean githubnumber?',
    ],
  },
  {
    name: 'a filter on an attribute that never comes',
    files: changed('checker.yaml', ['github.pull_request\n', 'github.pull_request\n        review: approved\n']),
    findings: [
      'checker.yaml:7 error attribute-never-set: no event of this type carries the attribute review, so none is taken; it carries action, assignee, githubnumber, installation, label, number, owner, repository, sender',
    ],
  },
  {
    name: 'a filter on an attribute that JavaScript has on every object',
    files: changed('checker.yaml', ['github.pull_request\n', 'github.pull_request\n        constructor: x\n']),
    findings: [
      'checker.yaml:7 error attribute-never-set: no event of this type carries the attribute constructor, so none is taken; it carries action, assignee, githubnumber, installation, label, number, owner, repository, sender',
    ],
  },
  {
    name: 'a source of which nothing is consumed',
    files: changed('wire.yaml', [
      'workflows:',
      '  - { kind: GitHubSource, repository: acme/web, secret: github, fixed: true }\nworkflows:',
    ]),
    findings: [
      'wire.yaml:9 error no-plan: no workflow consumes an event of source acme-web: name some in eventTypes, or leave the source out',
    ],
  },
  {
    name: 'a wait for whatever comes',
    files: changed('checker.yaml', [
      '          one:\n            with:\n              type: dev.knative.source.github.pull_request_review\n            correlate:\n              pr:\n                from: .githubnumber\n',
      '          any: []\n',
    ]),
    findings: [
      'checker.yaml:12 warning catch-all: wait takes every event of the Broker, whatever it is; say which: type, at least',
      'checker.yaml:12 warning no-correlation: wait says nothing of which instance an event is for: each one that waits takes it; correlate it',
    ],
  },
  {
    name: 'a filter that only the runtime can apply',
    files: changed('checker.yaml', ['.action == "opened"', '.pull_request.changed_files > 3']),
    findings: [
      'checker.yaml:7 info runtime-filter: only the runtime can apply data: ${ .pull_request.changed_files > 3 }; the Trigger lets through what it refuses',
    ],
  },
  {
    name: 'a type that only the runtime can judge',
    files: changed('checker.yaml', ['type: dev.knative.source.github.pull_request\n', "type: '^dev.*(pull|push)'\n"]),
    findings: [
      'checker.yaml:6 info runtime-filter: only the runtime can apply type: ^dev.*(pull|push); the Trigger lets through what it refuses',
      'checker.yaml:7 info runtime-filter: only the runtime can apply data: ${ .action == "opened" }; the Trigger lets through what it refuses',
    ],
  },
  {
    name: 'a circle of workflows',
    files: {
      ...changed('reader.yaml', [
        '  - done: { set: { done: true } }\n',
        '  - again: { emit: { event: { with: { type: shop.again, source: /reader } } } }\n',
      ]),
      'checker.yaml': flow
        .replace('dev.knative.source.github.pull_request\n', 'shop.again\n')
        .replace('        data: ${ .action == "opened" }\n', ''),
    },
    findings: [
      'wire.yaml:10 warning loop: what it emits starts it again, without end: checker → reader → checker; filter on an attribute that tells the events apart',
    ],
  },
  {
    name: 'two workflows that one event starts',
    files: changed('reader.yaml', ['type: shop.checked', 'type: dev.knative.source.github.pull_request']),
    findings: [
      'checker.yaml:21 info unread: no workflow here consumes shop.checked',
      'reader.yaml:6 warning shared-start: an event that starts it may start checker (checker.yaml:1), too; filter on an attribute that tells them apart, if that is not meant',
    ],
  },
  {
    name: 'a Service to which two sets bring the same event',
    files: {
      ...changed('wire.yaml', [
        'reader.yaml\n    runtime: deployment',
        'reader.yaml\n    runtime: deployment\n    service: engine',
      ]),
      'waiter.yaml': `document: { dsl: 1.0.3, namespace: shop, name: waiter, version: 1.0.0 }
do:
  - wait: { listen: { to: { one: { with: { type: shop.checked }, correlate: { id: { from: .id } } } } } }
`,
      'z.wire.yaml': `name: z
broker: { name: events }
delivery: { deadLetterSink: { uri: 'http://lost/' } }
workflows: [{ file: waiter.yaml, runtime: deployment, service: engine }]
`,
    },
    findings: [
      'waiter.yaml:3 warning taken-twice: what it takes may come twice to where it runs: the set shop (wire.yaml:1) brings it there, too; describe both workflows in one wiring file',
    ],
  },
  {
    name: 'two sources of one repository',
    files: {
      ...files,
      'more.wire.yaml':
        'name: more\nbroker: { name: events }\nsources:\n  - { kind: GitHubSource, repository: acme/shop, secret: other, name: again, eventTypes: [push] }\n',
    },
    findings: [
      'wire.yaml:6 warning sent-twice: source acme-shop sends what again (more.wire.yaml:4) sends to the same Broker, so that events come twice; leave one out',
    ],
  },
  {
    name: 'no dead letter sink',
    files: changed('wire.yaml', [
      'delivery:\n  deadLetterSink: { ref: { apiVersion: v1, kind: Service, name: lost } }\n',
      '',
    ]),
    findings: ['checker', 'reader'].map(
      (name, index) =>
        `wire.yaml:${8 + 2 * index} warning no-dead-letter-sink: what ${name} does not take is lost after the last attempt; name a sink for it: delivery.deadLetterSink`,
    ),
  },
  {
    name: 'an event the source does not ask for',
    files: changed('wire.yaml', [
      '    secret: github\n',
      '    secret: github\n    fixed: true\n    eventTypes: [pull_request]\n',
    ]),
    findings: [
      'checker.yaml:14 error not-subscribed: source acme-shop does not ask for pull_request_review; add it to its eventTypes (wire.yaml:6), or leave out fixed',
    ],
  },
];
describe('finds', () => {
  for (const seed of seeds) it(seed.name, async () => expect(await found(seed.files)).toEqual(seed.findings));
});

const silences: { name: string; files: Record<string, string>; live?: LiveEventType[] }[] = [
  {
    name: 'of a type that somebody else produces',
    files: {
      ...changed('wire.yaml', ['workflows:', 'external:\n  - type: shop.asked\nworkflows:']),
      'reader.yaml': reader.replace('type: shop.checked', 'type: shop.checked\n        source: /checker'),
    },
  },
  {
    name: 'of a repository written in another case',
    files: changed('checker.yaml', ['github.pull_request\n', 'github.pull_request\n        repository: Shop\n']),
  },
  {
    name: 'of a wait whose instance SonataFlow finds',
    files: {
      ...changed('wire.yaml', ['runtime: deployment', 'runtime: sonataflow']),
      'checker.yaml': flow.replace(
        '            correlate:\n              pr:\n                from: .githubnumber\n',
        '',
      ),
    },
  },
  {
    name: 'of workflows whose filters tell events apart',
    files: {
      ...files,
      'checker.yaml': flow.replace('opened', 'closed'),
      'reader.yaml': reader
        .replace('one:', 'any:')
        .replace('      with:', '      - with:')
        .replace('        type: shop', '          type: shop'),
    },
  },
  {
    name: 'of a fixed source that asks for all',
    files: changed('wire.yaml', [
      '    secret: github\n',
      "    secret: github\n    fixed: true\n    eventTypes: ['*']\n",
    ]),
  },
];
describe('says nothing', () => {
  for (const { name, files: texts, live } of silences)
    it(name, async () => expect(await found(texts, live)).toEqual([]));
});

it('takes the EventTypes of a cluster into account', async () => {
  const asked = changed('reader.yaml', ['shop.checked', 'shop.asked']);
  const unread = 'checker.yaml:21 info unread: no workflow here consumes shop.checked';
  expect(await found(asked)).toContainEqual(expect.stringContaining('reader.yaml:6 error no-producer'));
  expect(await found(asked, [{ type: 'shop.asked', source: undefined }])).toEqual([unread]);
});

it('without wire.yaml says of a type that only the runtime can judge no more than that', async () => {
  const findings = await found({ 'reader.yaml': reader.replace('shop.checked', "'shop.(a|b)'") });
  expect(findings).toEqual([
    'reader.yaml:6 info runtime-filter: only the runtime can apply type: shop.(a|b); the Trigger lets through what it refuses',
  ]);
});

it('without wire.yaml warns of what nobody is seen to produce, and takes no two definitions together', async () => {
  const two = { 'checker.yaml': flow, 'second.yaml': flow.replace('checker', 'second') };
  const findings = await found(two);
  expect(findings.filter((text) => text.includes('no-producer'))).toEqual(
    ['checker', 'second'].flatMap((name) => [
      `${name}.yaml:6 warning no-producer: nobody here produces dev.knative.source.github.pull_request; add the source, or the producer under external in wire.yaml`,
      `${name}.yaml:14 warning no-producer: nobody here produces dev.knative.source.github.pull_request_review; add the source, or the producer under external in wire.yaml`,
    ]),
  );
  expect(findings.filter((text) => /shared-start|loop|unread|dead/.test(text))).toEqual([]);
});
