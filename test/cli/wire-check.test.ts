import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headwater } from '../support/headwater.ts';

const wire = (workflow: string) => `name: shop
delivery: { deadLetterSink: { uri: http://lost.example.com/ } }
external: [{ type: asked }]
workflows: [{ file: ${workflow}, runtime: deployment }]
`;
const flow = (type: string) => `document: { dsl: 1.0.3, namespace: shop, name: flow, version: 1.0.0 }
schedule: { on: { one: { with: { type: ${type} } } } }
do: [{ a: { listen: { to: { one: { with: { type: asked } } } } } }]
`;
let folder: string;
const path = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'headwater-check-'));
  for (const [name, type] of [
    ['warned', 'asked'],
    ['wrong', 'askd'],
  ] as const) {
    await writeFile(path(`${name}.wire.yaml`), wire(`${name}.yaml`));
    await writeFile(path(`${name}.yaml`), flow(type));
  }
  await writeFile(path('quiet.wire.yaml'), 'name: quiet\n');
  await writeFile(path('broken.wire.yaml'), 'nam: broken\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function check(...args: string[]) {
  const { code, stdout, stderr } = await headwater('wire', 'check', ...args);
  return { code, stdout: stdout.replaceAll(`${folder}/`, ''), stderr: stderr.replaceAll(`${folder}/`, '') };
}
const WAITS = 'a says nothing of which instance an event is for: each one that waits takes it; correlate it';

it('says nothing, and ends with 0, where nothing is wrong', async () => {
  expect(await check('-f', path('quiet.wire.yaml'))).toEqual({ code: 0, stdout: '', stderr: '' });
});

it('says what may be a mistake, and ends with 1 for that only when it is to be strict', async () => {
  const stdout = `warned.yaml:3:29: warning: ${WAITS} (no-correlation)\n`;
  expect(await check('-f', path('warned.wire.yaml'))).toEqual({ code: 0, stdout, stderr: '' });
  expect(await check('-f', path('warned.wire.yaml'), '--strict')).toMatchObject({ code: 1, stdout });
});

it('ends with 1 for an error, with file, line and column', async () => {
  const { code, stdout } = await check(path('wrong.wire.yaml'));
  expect(code).toBe(1);
  expect(stdout.split('\n')[0]).toBe(
    'wrong.yaml:2:34: error: nobody here produces askd; did you mean asked? (no-producer)',
  );
});

it('answers in JSON', async () => {
  const { code, stdout } = await check(path('warned.wire.yaml'), '--output', 'json');
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    [
      {
        file: expect.stringContaining('warned.yaml'),
        line: 3,
        column: 29,
        rule: 'no-correlation',
        severity: 'warning',
        workflow: 'flow',
        message: WAITS,
      },
    ],
  ]);
});

it('ends with 2 where it cannot check', async () => {
  expect(await check(path('broken.wire.yaml'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('broken.wire.yaml:1: '),
  });
  expect(await check()).toMatchObject({ code: 2, stderr: expect.stringContaining('name a wiring file') });
  expect(await check(path('quiet.wire.yaml'), '--output', 'xml')).toMatchObject({ code: 2 });
});

const odd: { name: string; text: string; code: number; says: string }[] = [
  {
    name: 'what the schema of DSL 1.0 does not know, as a warning',
    text: flow('asked').replace('a: { listen:', 'a: { lisen:'),
    code: 0,
    says: 'odd.yaml:3:8: warning: by the schema of DSL 1.0.3, /do/0/a must have one of call, do, ',
  },
  {
    name: 'a misspelt member of the whole',
    text: flow('asked').replace('schedule:', 'scheduel:'),
    code: 0,
    says: 'odd.yaml:2:1: warning: definitions have no member scheduel; did you mean schedule? (odd)',
  },
  {
    name: 'an event that is defined nowhere, as an error',
    text: 'id: odd\nstates:\n  - { name: a, type: callback, eventRef: b, end: true }\n',
    code: 1,
    says: 'odd.yaml:3:32: error: there is no event definition "b" (dangling)',
  },
  {
    name: 'a state that is not there, as an error',
    text: 'id: odd\nstates:\n  - { name: first, type: inject, transition: firs }\n',
    code: 1,
    says: 'odd.yaml:3:34: error: there is no state "firs"; did you mean first? (dangling)',
  },
  {
    name: 'an attribute that is nearly the type',
    text: flow('asked').replace('type: asked', 'typ: asked'),
    code: 0,
    says: 'odd.yaml:2:34: warning: schedule.on takes events of every type that carry an attribute typ; did you mean type? (catch-all)',
  },
];
describe('finds', () => {
  for (const { name, text, code, says } of odd)
    it(name, async () => {
      await writeFile(path('odd.wire.yaml'), wire('odd.yaml'));
      await writeFile(path('odd.yaml'), text);
      const found = await check('-f', path('odd.wire.yaml'));
      expect(found).toEqual({ code, stdout: expect.stringContaining(says), stderr: '' });
    });
});
