import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const root = resolve(import.meta.dirname, '../..');
/** Without npm's own variables: under `npm test` they point to this checkout. */
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'))),
  PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
};
const run = promisify(execFile);

async function npm(args: readonly string[], cwd: string): Promise<string> {
  const { npm_execpath: script } = process.env;
  const [file, ...first] = script?.endsWith('.js') ? [process.execPath, script] : ['npm'];
  const { stdout } = await run(file ?? '', [...first, ...args], { cwd, env });
  return stdout;
}

describe('the package, packed and installed elsewhere', () => {
  let folder: string;
  let files: string[];
  /** Less the coarseness of a file system's clock. */
  const startedAt = Date.now() - 1000;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headwater-package-'));
    const packed = await npm(['pack', '--json', '--pack-destination', folder], root);
    const [tarball] = JSON.parse(packed.slice(packed.indexOf('['))) as {
      filename: string;
      files: { path: string }[];
    }[];
    files = tarball?.files.map(({ path }) => path) ?? [];
    // npm would look for one further up.
    await writeFile(join(folder, 'package.json'), '{}');
    await npm(['install', '--offline', '--no-audit', '--no-fund', join(folder, tarball?.filename ?? '')], folder);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const headwater = (...args: string[]) =>
    run(process.execPath, [join(folder, 'node_modules/.bin/headwater'), ...args], { cwd: folder, env: {} });

  it('holds the bundles, definitions, samples and what npm asks for, nothing else', () => {
    const isDoc = (path: string) => path.startsWith('docs/');
    expect(files.filter((path) => !isDoc(path)).toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/headwater.js',
      'config/samples/by-hand/githubsource.yaml',
      'config/samples/channel/githubsource.yaml',
      'config/samples/dead-letters/githubsource.yaml',
      'config/samples/dedicated/githubsource.yaml',
      'config/samples/enterprise-server/githubsource.yaml',
      'config/samples/githubsource.yaml',
      'config/samples/knative-service/githubsource.yaml',
      'config/samples/service/githubsource.yaml',
      'crds/Kustomization',
      'crds/githubsources.sources.knative.dev.yaml',
      'dist/LICENSES.txt',
      'dist/adapter.js',
      'dist/controller.js',
      'dist/graphviz.js',
      'dist/headwater.js',
      'dist/webhooks-examples.json',
      'package.json',
    ]);
    expect(files.filter((path) => isDoc(path) && !path.endsWith('.md'))).toEqual([
      'docs/images/dev.svg',
      'docs/wire.schema.json',
    ]);
  });

  it('is built anew', async () => {
    const bundles = files.filter((path) => path.startsWith('dist/'));
    for (const path of bundles) expect((await stat(join(root, path))).mtimeMs).toBeGreaterThan(startedAt);
    expect(bundles).toHaveLength(6);
  });

  it('needs no other package', async () => {
    const installed = JSON.parse(await npm(['ls', '--all', '--json'], folder)) as { dependencies: object };
    expect(Object.keys(installed.dependencies)).toEqual(['headwater']);
  });

  it('prints its help', async () => {
    const { stdout, stderr } = await headwater('--help');
    expect(stdout).toMatch(/^Headwater: .*\n\nUsage: headwater COMMAND \[options\]\n/);
    expect(stderr).toBe('');
  });

  it('prints its version', async () => {
    expect(await headwater('--version')).toEqual({ stdout: `${manifest.version}\n`, stderr: '' });
  });

  it('lists the recorded events', async () => {
    const { stdout } = await headwater('send', '--list');
    expect(stdout.trimEnd().split('\n')).toHaveLength(58);
  });

  it('applies the samples it brings along', async () => {
    const samples = join(folder, 'node_modules/headwater/config/samples');
    const { stdout, stderr } = await headwater('dev', '-f', samples, '--simulate', '--once', '--port', '0');
    expect(stdout).toContain('\n1 source is ready; 6 deliveries reached the dumper byte for byte (SHA-256)');
    expect(stderr).toBe('');
  });
});
