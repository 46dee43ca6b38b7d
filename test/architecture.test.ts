import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bundles, buildBundles } from '../scripts/build.ts';

const root = resolve(import.meta.dirname, '..');

/** Which top-level folders each may import. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  sources: ['core'],
  dump: ['core'],
  adapter: ['sources', 'core'],
  controller: ['sources', 'core'],
  wire: ['sources', 'core'],
  local: ['adapter', 'controller', 'wire', 'dump', 'sources', 'core'],
  cli: ['local', 'adapter', 'controller', 'wire', 'dump', 'sources', 'core'],
};

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

async function importsOf(file: string): Promise<string[]> {
  const text = await readFile(join(root, file), 'utf8');
  const found = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g);
  return Array.from(found, ([, path = '']) => relative(root, resolve(root, dirname(file), path)));
}

describe('imports point one way', () => {
  for (const [folder, others] of Object.entries(allowed)) {
    it(`${folder}/ imports only ${[folder, ...others].join(', ')}`, async () => {
      const wrong: string[] = [];
      for (const file of await filesBelow(folder)) {
        for (const target of await importsOf(file)) {
          const top = target.split('/')[0] ?? '';
          const ofAProvider = target.split('/').length > 2 && top === 'sources' && folder !== 'sources';
          if (![folder, ...others, 'package.json'].includes(top) || ofAProvider) wrong.push(`${file} -> ${target}`);
        }
      }
      expect(wrong).toEqual([]);
    });
  }

  it('reads at least one import in each folder that is there', async () => {
    for (const folder of ['core', 'sources', 'adapter', 'dump', 'local', 'cli']) {
      const found = await Promise.all((await filesBelow(folder)).map(importsOf));
      expect(found.flat().length).toBeGreaterThan(0);
    }
  });

  it('no provider is named outside sources/', async () => {
    const naming: string[] = [];
    for (const folder of Object.keys(allowed).filter((name) => name !== 'sources')) {
      for (const file of await filesBelow(folder)) {
        if (/github|gitlab|bitbucket|slack|stripe/i.test(await readFile(join(root, file), 'utf8'))) naming.push(file);
      }
    }
    expect(naming).toEqual([]);
  });

  it('the environment is read only where a process starts', async () => {
    const reading: string[] = [];
    for (const folder of Object.keys(allowed)) {
      for (const file of await filesBelow(folder)) {
        if ((await readFile(join(root, file), 'utf8')).includes('process.env')) reading.push(file);
      }
    }
    expect(reading.filter((file) => !/^(adapter|controller|cli)\/main\.ts$/.test(file))).toEqual([]);
  });
});

describe('the bundles', () => {
  let folder: string;
  let bundles: Bundles;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headwater-dist-'));
    bundles = await buildBundles(folder);
    // Seconds, where the machine is quiet.
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('of the adapter holds no Kubernetes client, no provider API client, no schema builder, no simulator', () => {
    const inputs = Object.keys(bundles.adapter.inputs);
    expect(inputs.filter((path) => path.includes('node_modules/fastify/')).length).toBeGreaterThan(0);
    expect(
      inputs.filter((path) =>
        /@kubernetes|@octokit|typebox|simulator\.ts|\/spec\.ts|webhook\.ts|webhooks-examples|node_modules\/cloudevents/.test(
          path,
        ),
      ),
    ).toEqual([]);
  });

  it('of the controller holds no provider that is simulated', () => {
    const inputs = Object.keys(bundles.controller.inputs);
    expect(inputs.filter((path) => path.includes('@kubernetes/client-node')).length).toBeGreaterThan(0);
    expect(inputs.filter((path) => /simulat|webhooks-examples/.test(path))).toEqual([]);
  });

  it('of the controller starts, and says what is wrong with its environment', async () => {
    const run = promisify(execFile)(process.execPath, [join(folder, 'controller.js')], { env: { PUBLIC_URL: 'x' } });
    await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('PUBLIC_URL must be') });
  });

  it('come with the licence of every package in them', async () => {
    const text = await readFile(join(folder, 'LICENSES.txt'), 'utf8');
    for (const name of [
      '@kubernetes/client-node',
      'fastify',
      'undici',
      'pino',
      'prom-client',
      'cloudevents',
      '@octokit/webhooks-examples',
    ]) {
      expect(text).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\([A-Z].*\\)$`, 'm'));
    }
    expect(text.match(/Permission is hereby granted/g)?.length).toBeGreaterThan(30);
  });

  it('of the adapter starts, and says what its environment lacks', async () => {
    const run = promisify(execFile)(process.execPath, [join(folder, 'adapter.js')], { env: {} });
    await expect(run).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('ROUTES_DIR is not set') });
  });

  it('of the command starts, and holds the recorded deliveries beside it', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'headwater.js'), 'send', '--list']);
    expect(stdout).toContain('workflow_run');
  });
});
