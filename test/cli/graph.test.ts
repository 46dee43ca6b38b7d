import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { headwater } from '../support/headwater.ts';

const wire = join(import.meta.dirname, '../wire');
const samples = join(import.meta.dirname, '../../config/samples');
let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'headwater-graph-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const cases: { name: string; args: string[]; title: string; texts: string[] }[] = [
  {
    name: 'a set: its sources, Broker, Triggers and workflows',
    args: [join(wire, 'sets/shop')],
    title: 'shop',
    texts: ['<b>acme-shop</b>', '<b>default</b>', '<b>triage-github-push</b>', 'workflow in reviewer'],
  },
  {
    name: 'manifests',
    args: [join(samples, 'channel')],
    title: '',
    texts: ['<b>hello-world</b>', '<i>Channel</i>', '<i>Subscription</i>', '<b>event-dumper</b>'],
  },
  {
    name: 'the inside of a definition alone',
    args: [join(wire, 'definitions/1.0/managing-github-issues.yaml')],
    title: 'manage-github-issues',
    texts: ['<b>awaitAssignment</b>'],
  },
  {
    name: 'the inside of a workflow of a set',
    args: [join(wire, 'sets/shop'), '--workflow', 'triage'],
    title: 'triage',
    texts: ['<b>wait</b>'],
  },
];
describe('headwater graph draws', () => {
  for (const { name, args, title, texts } of cases)
    it(name, async () => {
      const { code, stdout, stderr } = await headwater('graph', '--format', 'mermaid', '-f', ...args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout.split('\n').slice(0, 2)).toEqual(['---', `title: ${JSON.stringify(title)}`]);
      for (const text of texts) expect(stdout).toContain(text);
    });
});

it('writes SVG to standard output, or what the name of a file says to it', async () => {
  const set = join(wire, 'sets/shop');
  const { stdout } = await headwater('graph', '-f', set);
  expect(stdout).toMatch(/^<\?xml[\s\S]*<\/svg>\n$/);
  const file = (name: string) => join(folder, name);
  for (const [name, begin] of [
    ['a.svg', '<?xml'],
    ['a.mmd', '---'],
    ['a.dot', 'digraph'],
  ] as const) {
    expect(await headwater('graph', '-f', set, '-o', file(name))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await readFile(file(name), 'utf8')).startsWith(begin)).toBe(true);
  }
  expect(await readFile(file('a.svg'), 'utf8')).toBe(stdout);
});

const refused: { args: string[]; code: number; says: string }[] = [
  { args: [], code: 2, says: 'name a wiring file' },
  { args: ['-f', join(wire, 'sets/shop'), '--format', 'png'], code: 2, says: '--format must be svg, mermaid, dot' },
  {
    args: ['-f', join(wire, 'sets/shop'), '--workflow', 'triag'],
    code: 1,
    says: 'there is no workflow triag; in the files: ',
  },
  { args: ['-f', join(wire, 'definitions/1.0')], code: 1, says: 'name a workflow (--workflow): ' },
  { args: ['-f', '/gone'], code: 1, says: '/gone: no such file or folder' },
];
describe('headwater graph refuses', () => {
  for (const { args, code, says } of refused)
    it(says, async () =>
      expect(await headwater('graph', ...args)).toEqual({ code, stdout: '', stderr: expect.stringContaining(says) }),
    );
});
