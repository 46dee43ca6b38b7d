import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Route } from '../core/route.ts';
import { buildBundles } from '../scripts/build.ts';
import { sources } from '../sources/registry.ts';
import { type Deliveries, HOOK_PATH, SECRET } from './deliveries.ts';
import { untilFirstAccepted } from './first-reply.ts';
import { nginxProgram, proxyServer } from './nginx.ts';
import { freePort } from './ports.ts';
import { MEASURED_CPU, type Program, type RunScope } from './run-scope.ts';

export const contenderNames = ['headwater', 'nginx', 'naive'] as const;
export type ContenderName = (typeof contenderNames)[number];

export interface Contender {
  readonly name: ContenderName;
  readonly port: number;
  readonly process: ChildProcess;
  readonly pid: number;
}

const programOf: Readonly<
  Record<ContenderName, (scope: RunScope, port: number, sinkPort: number) => Promise<Program>>
> = {
  headwater: async (scope, port, sinkPort) => ({
    command: process.execPath,
    args: [join(scope.folder, 'adapter.js')],
    env: {
      ROUTES_DIR: await writeRoute(scope, sinkPort),
      HOST: '127.0.0.1',
      PORT: String(port),
      INTERNAL_PORT: '0',
      ALLOW_LOOPBACK_SINKS: 'true',
      LOG_LEVEL: 'info',
    },
  }),
  nginx: (scope, port, sinkPort) => nginxProgram(scope, 'proxy', proxyServer(port, sinkPort)),
  naive: async (scope, port, sinkPort) => ({
    command: process.execPath,
    args: [join(scope.folder, 'naive.js'), String(port), sinkUrl(sinkPort), SECRET],
  }),
};

/** The adapter as it is shipped, and the naive one bundled in the same way. */
export async function buildContenders(scope: RunScope): Promise<void> {
  await buildBundles(scope.folder);
  await build({
    entryPoints: [join(import.meta.dirname, 'naive.ts')],
    outfile: join(scope.folder, 'naive.js'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'linked',
    // As in scripts/build.ts: CommonJS packages need a `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  await writeFile(join(scope.folder, 'package.json'), '{"type":"module"}');
}

/** A fresh process on a fresh port, with one delivery already at the sink; `startMs` is from exec to that reply. */
export async function startContender(
  name: ContenderName,
  { scope, deliveries, sinkPort }: { scope: RunScope; deliveries: Deliveries; sinkPort: number },
): Promise<{ readonly contender: Contender; readonly startMs: number }> {
  const port = await freePort();
  const program = await programOf[name](scope, port, sinkPort);
  const startedAt = performance.now();
  const child = scope.start(program, MEASURED_CPU);
  await untilFirstAccepted(child, port, deliveries.next);
  const startMs = performance.now() - startedAt;
  if (child.pid === undefined) throw new Error(`${name} has no process id`);
  return { contender: { name, port, process: child, pid: child.pid }, startMs };
}

/** Returns the folder of its one route file. */
async function writeRoute(scope: RunScope, sinkPort: number): Promise<string> {
  const route: Route = {
    version: 1,
    generation: 1,
    uid: 'bench',
    kind: sources[0]?.kind ?? '',
    namespace: 'bench',
    name: 'bench',
    path: HOOK_PATH,
    eventSource: 'https://github.com/octo/hello',
    secretTokens: [{ value: SECRET }],
    sink: { url: sinkUrl(sinkPort) },
    deadLetterSink: null,
    eventTypes: ['*'],
    ceOverrides: {},
    delivery: {},
    eventFormat: 'knative',
    provider: {},
  };
  const folder = join(scope.folder, 'routes');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${route.uid}.json`), JSON.stringify(route));
  return folder;
}

function sinkUrl(port: number): string {
  return `http://127.0.0.1:${port}/`;
}
