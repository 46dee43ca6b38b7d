import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { releasedImages } from '../../scripts/release.ts';
import { PodNetwork } from '../e2e/support/pod-network.ts';
import { aRoute } from '../support/builders.ts';
import { aDelivery } from '../support/deliveries.ts';
import { FakeSink } from '../support/fake-sink.ts';
import { Buildah } from './support/buildah.ts';
import { ImagePod, type RunOptions } from './support/image-pod.ts';

const root = join(import.meta.dirname, '../..');
const COLD_STARTS = 7;
/** Also of a busy machine, the fastest of all starts takes less. */
const SLOW_START_MS = 1500;
const [adapterImage, controllerImage] = (await releasedImages()).map(({ reference }) => reference);

const started = new AsyncDisposableStack();
let network: PodNetwork;
let adapter: ImagePod;
let controller: ImagePod;
beforeAll(async () => {
  const buildah = new Buildah(inject('buildahEnv'));
  network = await PodNetwork.start();
  started.defer(() => network.stop());
  const podOf = async (image = '') => {
    const pod = await ImagePod.of(image, buildah, await network.join('127.0.0.2'));
    started.defer(() => pod.stop());
    return pod;
  };
  adapter = await podOf(adapterImage);
  controller = await podOf(controllerImage);
});
afterAll(() => started.disposeAsync());

const holds = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 50 });
const urlOf = (pod: ImagePod, port: number, path = '') => `http://${pod.network.address}:${port}${path}`;
const folderFor = async (name: string) => {
  const folder = await mkdtemp(join(tmpdir(), `headwater-${name}-`));
  await chmod(folder, 0o755);
  started.defer(() => rm(folder, { recursive: true }));
  return folder;
};

describe.each([
  { name: 'adapter', of: () => adapter, programs: ['adapter', 'headwater'], ports: [8080, 8090] },
  { name: 'controller', of: () => controller, programs: ['controller'], ports: [8090] },
])('image headwater-$name', ({ name, of, programs, ports }) => {
  it('says what it is', () => {
    const { config } = of();
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': `headwater-${name}`,
      'org.opencontainers.image.version': packageJson.version,
      'org.opencontainers.image.licenses': packageJson.license,
      'org.opencontainers.image.revision': expect.any(String),
    });
    expect(Object.keys(config.ExposedPorts)).toEqual(ports.map((port) => `${port}/tcp`));
    expect(config.Healthcheck.Test[0]).toBe('CMD');
  });

  it('has node and no other program: no shell, no package manager', async () => {
    const found: string[] = [];
    for (const entry of await readdir(of().root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const isLibrary = /\.so(\.|$)/.test(entry.name);
      if (entry.isFile() && !isLibrary && ((await stat(path)).mode & 0o111) !== 0)
        found.push(path.slice(of().root.length));
    }
    // Debian's base-files has a script there, and nothing that could run it.
    expect(found.filter((path) => !path.startsWith('/etc/'))).toEqual(['/usr/local/bin/node']);
    await expect(of().run({ command: ['sh', '-c', 'true'] })).resolves.toMatchObject({ code: 127 });
  });

  it('is the Node the tests run on', async () => {
    expect((await of().run({ command: ['node', '--version'] })).log).toBe(`${process.version}\n`);
  });

  it('runs without root, without capabilities, and can write nothing', async () => {
    const script = `
      const { readFileSync, writeFileSync } = require('node:fs');
      const tried = ['/app/x', '/tmp/x', '/x'].map((path) => { try { writeFileSync(path, ''); } catch ({ code }) { return code; } });
      const status = readFileSync('/proc/self/status', 'utf8');
      console.log(JSON.stringify([process.getuid(), process.getgid(), tried, /CapEff:\\s+(\\w+)/.exec(status)[1]]));`;
    expect(of().config.User).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    const { log } = await of().run({ command: ['node', '-e', script] });
    const [uid, gid, tried, capabilities] = JSON.parse(log) as [number, number, string[], string];
    expect(`${uid}:${gid}`).toBe(of().config.User);
    expect(tried.every((code) => code === 'EROFS' || code === 'ENOENT')).toBe(true);
    expect(tried[0]).toBe('EROFS');
    expect(Number.parseInt(capabilities, 16)).toBe(0);
  });

  const ways: { way: string; path: string; options: RunOptions; compiled: string }[] = [
    { way: 'as it is', path: '/app', options: {}, compiled: 'used' },
    { way: 'for a user the cluster chose', path: '/app', options: { user: '1000650000:0' }, compiled: 'used' },
    { way: 'from another path', path: '/elsewhere', options: {}, compiled: 'used' },
    // V8 refuses what it compiled under other flags that change code; the program still runs.
    { way: 'with another way to compile', path: '/app', options: {}, compiled: 'refused' },
  ];
  it.each(ways)('has its programs compiled, $way: $compiled', async ({ path, options, compiled }) => {
    for (const program of programs) {
      const flags = compiled === 'refused' ? ['--no-flush-bytecode'] : of().config.Entrypoint.slice(1, -1);
      const command = ['node', ...flags, `${path}/${program}.js`];
      const env = { NODE_DEBUG: 'headwater', PORT: 'x', INTERNAL_PORT: 'x' };
      const mounts: Record<string, string> = path === '/app' ? {} : { [path]: join(of().root, 'app') };
      const { log } = await of().run({ ...options, command, env, mounts });
      expect(log).toContain(`${path}/${program}.cjs: compiled code ${compiled}\n`);
      expect(log).toMatch(/must be a whole number|Usage: headwater/);
    }
  });

  it('names every problem of its settings, and ends', async () => {
    const { code, log } = await of().run({ env: { INTERNAL_PORT: 'x', LOG_LEVEL: 'loud' } });
    expect(code).toBe(1);
    expect(log).toMatch(new RegExp(`^${name}: environment: .*INTERNAL_PORT must be.*LOG_LEVEL must be`));
  });

  it('brings the licences along', async () => {
    expect(await readFile(join(of().root, 'app/LICENSE'), 'utf8')).toContain('Apache License');
    expect(await readFile(join(of().root, 'app/LICENSES.txt'), 'utf8')).toContain('\nundici ');
  });
});

/** What HEALTHCHECK says, as an engine asks. */
async function isHealthy(pod: ImagePod, env: Readonly<Record<string, string>> = {}): Promise<boolean> {
  const [kind, ...command] = pod.config.Healthcheck.Test;
  expect(kind).toBe('CMD');
  return (await pod.run({ command, env })).code === 0;
}

/** Until the program says that it is ready. */
async function coldStart(pod: ImagePod, options: RunOptions, ready: string) {
  const times: number[] = [];
  for (let count = 0; count < COLD_STARTS; count += 1) {
    const startedAt = performance.now();
    const part = await pod.start(options);
    await vi.waitFor(() => expect(part.log).toContain(ready), { timeout: 20_000, interval: 2 });
    times.push(Math.round(performance.now() - startedAt));
    await part.end();
  }
  const sorted = times.toSorted((a, b) => a - b);
  const [least = 0] = sorted;
  return { least, text: `${sorted[(COLD_STARTS - 1) / 2]} ms (least ${least})` };
}

/** Prints how fast the entry point starts; returns milliseconds. */
async function measureStarts(pod: ImagePod, options: RunOptions, ready: string): Promise<number> {
  const [node = '', ...flagsAndProgram] = pod.config.Entrypoint;
  const compiled = await coldStart(pod, options, ready);
  const anew = await coldStart(pod, { ...options, command: [node, '--no-flush-bytecode', ...flagsAndProgram] }, ready);
  const [first, second] = [compiled.text, anew.text];
  process.stdout.write(
    `${flagsAndProgram.at(-1)}: cold start, median of ${COLD_STARTS}: ${first}; without compiled code ${second}\n`,
  );
  return compiled.least;
}

describe('the adapter', () => {
  let sink: FakeSink;
  let options: RunOptions;
  beforeAll(async () => {
    sink = await FakeSink.start(undefined, network.hostAddress);
    started.defer(() => sink.close());
    const routes = await folderFor('routes');
    await writeFile(join(routes, 'a.json'), JSON.stringify(aRoute({ uid: 'a', sink: { url: sink.url('/sink') } })));
    options = { env: { ROUTES_DIR: '/routes', SHUTDOWN_DELAY_MS: '0' }, mounts: { '/routes': routes } };
  });

  it('answers a delivery with 202 when the sink has it byte for byte, and is healthy', async () => {
    expect(await isHealthy(adapter)).toBe(false);
    const part = await adapter.start(options);
    await holds(() => expect(part.log).toContain('adapter ready'));
    const delivery = aDelivery();
    const body = new Uint8Array(delivery.body);
    const reply = await fetch(urlOf(adapter, 8080, '/hooks/a'), { method: 'POST', headers: delivery.headers, body });
    expect(reply.status).toBe(202);
    expect(sink.received.map(({ path }) => path)).toEqual(['/sink']);
    expect(sink.received[0]?.body).toEqual(Buffer.from(delivery.data));
    expect(await isHealthy(adapter)).toBe(true);
    expect(await isHealthy(adapter, { HOST: adapter.network.address })).toBe(true);
    await part.end();
    expect(part.exitCode).toBe(0);
  });

  it('starts fast', async () =>
    expect(await measureStarts(adapter, options, 'adapter ready')).toBeLessThan(SLOW_START_MS));
});

describe('the command in the image of the adapter', () => {
  it('prints its version', async () => {
    const { log } = await adapter.run({ command: ['node', '/app/headwater.js', '--version'] });
    expect(log).toBe(`${packageJson.version}\n`);
  });

  it('dumps events, started as config/event-dumper says', async () => {
    const manifest = await readFile(join(root, 'config/event-dumper/event-dumper.yaml'), 'utf8');
    const [deployment] = parseAllDocuments(manifest).map((document) => document.toJS() as Deployment);
    const [container] = deployment?.spec.template.spec.containers ?? [];
    expect(container?.securityContext.readOnlyRootFilesystem).toBe(true);
    const part = await adapter.start({ command: [...(container?.command ?? []), ...(container?.args ?? [])] });
    await holds(() => expect(part.log).toContain('waiting for CloudEvents'));
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/here', 'ce-type': 'an.event' };
    const reply = await fetch(urlOf(adapter, 8080), {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: '{"a":1}',
    });
    expect(reply.status).toBe(202);
    await holds(() => expect(part.log).toMatch(/"type":"an\.event".*"data":\{"a":1\}/));
    await part.end();
    expect(part.exitCode).toBe(0);
  });

  it('runs the whole path: samples applied, a simulated provider, recorded deliveries', async () => {
    const state = await folderFor('state');
    await chmod(state, 0o777);
    const mounts = { '/samples': join(root, 'config/samples'), '/.headwater': state };
    const command = ['node', '/app/headwater.js', 'dev', '-f', '/samples', '--simulate', '--once', '--port', '0'];
    const { code, log } = await adapter.run({ command, mounts });
    expect(log).toContain('6 deliveries reached the dumper byte for byte');
    expect(code).toBe(0);
  });
});

interface Deployment {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly {
          readonly command: readonly string[];
          readonly args: readonly string[];
          readonly securityContext: { readonly readOnlyRootFilesystem: boolean };
        }[];
      };
    };
  };
}

describe('the controller', () => {
  let options: RunOptions;
  const leases: { readonly spec: { readonly holderIdentity: string } }[] = [];
  beforeAll(async () => {
    const api = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const isNew = request.method === 'POST';
        if (isNew) leases.push(JSON.parse(text) as (typeof leases)[number]);
        response
          .writeHead(isNew ? 201 : 404, { 'content-type': 'application/json' })
          .end(isNew ? text : '{"code":404}');
      });
    });
    await new Promise<void>((resolve) => void api.listen(0, network.hostAddress, resolve));
    started.defer(async () => void api.close());
    const { port } = api.address() as { port: number };
    const folder = await folderFor('kubeconfig');
    const cluster = { server: `http://${network.hostAddress}:${port}`, 'insecure-skip-tls-verify': true };
    const config = {
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      clusters: [{ name: 'test', cluster }],
      users: [{ name: 'test', user: { token: 'token' } }],
    };
    await writeFile(join(folder, 'config'), JSON.stringify(config));
    options = { env: { KUBECONFIG: '/kube/config', POD_NAME: 'pod-1' }, mounts: { '/kube': folder } };
  });

  it('asks the API server for the Lease, and is healthy', async () => {
    expect(await isHealthy(controller)).toBe(false);
    const part = await controller.start(options);
    await holds(() => expect(leases.map(({ spec }) => spec.holderIdentity)).toEqual(['pod-1']));
    expect(await isHealthy(controller)).toBe(true);
    await part.end();
    expect(part.exitCode).toBe(0);
  });

  it('starts fast', async () =>
    expect(await measureStarts(controller, options, 'listening')).toBeLessThan(SLOW_START_MS));
});
