import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeOf } from '../../core/place-of.ts';
import { HeadwaterProcess, headwater } from '../support/headwater.ts';

const sets = join(import.meta.dirname, '../wire/sets');
const golden = (name: string) => readFile(join(import.meta.dirname, '../golden/wire', name), 'utf8');

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'headwater-wire-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('headwater wire plan', () => {
  it('prints the objects of a folder, of files, and of several sets', async () => {
    const [shop, mixed] = [await golden('plan-shop.yaml'), await golden('plan-mixed.yaml')];
    expect(await headwater('wire', 'plan', '-f', join(sets, 'shop'))).toEqual({ code: 0, stdout: shop, stderr: '' });
    const both = await headwater('wire', 'plan', '-f', join(sets, 'shop/wire.yaml'), join(sets, 'mixed'));
    expect(both.stdout.split('---\n').toSorted()).toEqual([...shop.split('---\n'), ...mixed.split('---\n')].toSorted());
  });

  it('says with file and line what keeps the files from being a plan, and prints nothing', async () => {
    const { code, stdout, stderr } = await headwater('wire', 'plan', '-f', join(sets, 'lacking'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^headwater wire plan: \S+lacking\/wire\.yaml:5: no workflow consumes an event of source acme-idle/,
    );
    expect(stderr.trimEnd().split('\n')).toHaveLength(4);
  });

  it('says what is odd, and goes on', async () => {
    const file = join(folder, 'wire.yaml');
    await writeFile(file, 'name: odd\nworkflows: [{ file: odd.yaml, runtime: sonataflow }]');
    await writeFile(
      join(folder, 'odd.yaml'),
      "id: odd\nspecVersion: '0.8'\nstates:\n  - { name: a, type: event, onEvents: [{ eventRefs: [b] }] }",
    );
    const { code, stderr } = await headwater('wire', 'plan', file);
    expect({ code, stderr: stderr.replace(`${folder}/`, '') }).toEqual({
      code: 0,
      stderr: 'odd.yaml:4: there is no event definition "b"\n',
    });
  });

  it.each([
    [[], 2, 'headwater wire plan: name a wiring file: -f PATH\nheadwater wire plan: see headwater wire plan --help\n'],
    [['-f', '/gone/wire.yaml'], 1, 'headwater wire plan: /gone/wire.yaml: no such file or folder\n'],
    [
      ['-f', join(sets, '../graph')],
      1,
      `headwater wire plan: neither a wiring file (wire.yaml) nor a workflow definition is in ${placeOf(join(sets, '../graph'))}\n`,
    ],
  ])('refuses %j', async (args, code, stderr) => {
    expect(await headwater('wire', 'plan', ...args)).toEqual({ code, stdout: '', stderr });
  });
});

describe('what needs a cluster', () => {
  it('says that there is no kubeconfig, and where one is looked for', async () => {
    const env = { HOME: folder };
    expect(await HeadwaterProcess.run(['wire', 'apply', '-f', join(sets, 'shop')], { env })).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'headwater wire apply: there is no kubeconfig: KUBECONFIG names none, and ~/.kube/config is not there; set KUBECONFIG, or give --kubeconfig FILE\n',
    });
  });

  const kubeconfig = (server: string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server } }],
      users: [{ name: 'u', user: {} }],
    });
  const run = async (command: string, server: string) => {
    const file = join(folder, 'kubeconfig');
    await writeFile(file, kubeconfig(server));
    return headwater('wire', command, '-f', join(sets, 'shop'), '--kubeconfig', file);
  };

  it.each([
    ['apply', 1],
    ['prune', 1],
    ['diff', 2],
  ])('%s ends with %i when there is none', async (command, code) => {
    const none = await run(command, 'http://127.0.0.1:1');
    const why =
      'the kubeconfig cannot be used: it names no cluster with an https address; set KUBECONFIG, or give --kubeconfig';
    expect(none).toEqual({ code, stdout: '', stderr: `headwater wire ${command}: ${why}\n` });
    const { stderr, ...unreached } = await run(command, 'https://127.0.0.1:1');
    expect(unreached).toEqual({ code, stdout: '' });
    expect(stderr).toMatch(new RegExp(`^headwater wire ${command}: .*127\\.0\\.0\\.1:1.*\\n$`));
  });
});
