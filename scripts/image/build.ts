import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Route } from '../../core/route.ts';
import { sources } from '../../sources/registry.ts';
import { type BundleName, buildBundle, copyBeside, writeLicenses } from '../build.ts';

/** The programs of each image; the first is its entry point. */
const images: Readonly<Record<string, readonly BundleName[]>> = {
  adapter: ['adapter', 'headwater'],
  controller: ['controller'],
};

/** Fills `folder`, which becomes the image's `/app`, and has V8 compile what its programs need to start. */
async function buildImageFolder(image: string, folder: string): Promise<void> {
  const names = images[image];
  if (!names) throw new Error(`there is no image "${image}"; there are ${Object.keys(images).join(', ')}`);
  await mkdir(folder, { recursive: true });
  const metafiles = await Promise.all(names.map((name) => buildBundle(name, 'cjs', join(folder, `${name}.cjs`))));
  for (const name of names) await copyFile(join(import.meta.dirname, 'launch.cjs'), join(folder, `${name}.js`));
  await copyFile(join(import.meta.dirname, 'healthy.cjs'), join(folder, 'healthy.js'));
  await copyFile(join(import.meta.dirname, '../../LICENSE'), join(folder, 'LICENSE'));
  if (names.includes('headwater')) await copyBeside(folder);
  await writeLicenses(folder, metafiles);
  for (const name of names) await firstRun[name](join(folder, `${name}.js`));
}

/** Each program does once what it is for, and leaves behind the compiled code (launch.cjs). */
const firstRun: Readonly<Record<BundleName, (program: string) => Promise<void>>> = {
  adapter: async (program) => {
    const sink = createServer(
      (request, response) => void request.resume().on('end', () => response.writeHead(202).end()),
    );
    await once(sink.listen(0, '127.0.0.1'), 'listening');
    const folder = await mkdtemp(join(tmpdir(), 'headwater-routes-'));
    try {
      const { route, delivery } = await anExample(`http://127.0.0.1:${(sink.address() as AddressInfo).port}`);
      await writeFile(join(folder, `${route.uid}.json`), JSON.stringify(route));
      const env = {
        ROUTES_DIR: folder,
        HOST: '127.0.0.1',
        PORT: '0',
        ALLOW_LOOPBACK_SINKS: 'true',
        SHUTDOWN_DELAY_MS: '0',
      };
      await run([program], { ...env, INTERNAL_PORT: '0' }, /"port":(\d+).*adapter ready/, (port) =>
        post(`http://127.0.0.1:${port}${route.path}`, delivery),
      );
    } finally {
      sink.close();
      await rm(folder, { recursive: true });
    }
  },
  controller: (program) => run([program], { INTERNAL_PORT: '0' }, /listening/, () => Promise.resolve()),
  headwater: (program) =>
    run([program, 'dump', '--port', '0'], {}, /http:\/\/127\.0\.0\.1:(\d+)/, (port) =>
      post(`http://127.0.0.1:${port}`, {
        headers: {
          'content-type': 'application/json',
          'ce-specversion': '1.0',
          'ce-id': '1',
          'ce-source': '/image',
          'ce-type': 'example',
        },
        body: Buffer.from('{}'),
      }),
    ),
};

interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

async function anExample(sinkUrl: string): Promise<{ route: Route; delivery: Post }> {
  const [definition] = sources;
  if (!definition) throw new Error('there are no sources');
  const simulator = await definition.loadSimulator();
  const [event] = simulator.recordedEvents;
  if (!event) throw new Error(`no event of ${definition.kind} is recorded`);
  const secret = 'secret';
  const route: Route = {
    version: 1,
    generation: 1,
    uid: 'example',
    kind: definition.kind,
    namespace: 'example',
    name: 'example',
    path: '/hooks/example',
    eventSource: 'https://example.com',
    secretTokens: [{ value: secret }],
    sink: { url: sinkUrl },
    deadLetterSink: null,
    eventTypes: ['*'],
    ceOverrides: {},
    delivery: {},
    eventFormat: 'knative',
    provider: {},
  };
  return { route, delivery: simulator.deliver(event, secret) };
}

/** `ready`: what the program prints when it can be used; `use` gets its first group. Then the program is to end well. */
async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  ready: RegExp,
  use: (port: string) => Promise<void>,
): Promise<void> {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  try {
    const [, port = ''] = await printed(child, ready);
    await use(port);
  } finally {
    child.kill('SIGTERM');
  }
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}`);
}

function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`ended with ${code} and without ${pattern}: ${text}`)));
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        const match = pattern.exec(text);
        if (match) resolve(match);
      });
  });
}

async function post(url: string, { headers, body }: Post): Promise<void> {
  const { status } = await fetch(url, { method: 'POST', headers, body: new Uint8Array(body) });
  if (status !== 202) throw new Error(`${url} answered ${status}`);
}

const [image = '', folder = ''] = process.argv.slice(2);
await buildImageFolder(image, folder);
