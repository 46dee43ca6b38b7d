import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../../core/errors.ts';

/** Paths of the programs a control plane is made of. */
export interface ClusterPrograms {
  readonly etcd: string;
  readonly 'kube-apiserver': string;
  readonly 'kube-controller-manager': string;
  readonly kubectl: string;
}

type Name = keyof ClusterPrograms;

const KUBERNETES = '1.36.2';
const VERSION = 'k8s.io/component-base/version';
/** Without these the server says it is v0.0.0, and newer clients complain. */
const LDFLAGS = [
  '-s -w',
  `-X ${VERSION}.gitVersion=v${KUBERNETES}`,
  ...Object.entries({ gitMajor: '1', gitMinor: '36' }).map(([name, value]) => `-X ${VERSION}.${name}=${value}`),
].join(' ');

const PACKAGES: Readonly<Record<Name, string>> = {
  etcd: 'go.etcd.io/etcd/server/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
};

const assets = join(import.meta.dirname, '../assets');
const run = promisify(execFile);

/** Each of the programs, one after the other. `say`: progress. @throws Error that says what is missing */
export async function clusterPrograms(env: NodeJS.ProcessEnv, say: (text: string) => void): Promise<ClusterPrograms> {
  const programs: Record<string, string> = {};
  for (const name of Object.keys(PACKAGES) as Name[]) programs[name] = await clusterProgram(name, env, say);
  return programs as unknown as ClusterPrograms;
}

/**
 * One of them, from `KUBEBUILDER_ASSETS` where it has it, else built once from `assets/go.mod` into a cache outside the
 * checkout; all of them take about ten minutes.
 */
export async function clusterProgram(name: Name, env: NodeJS.ProcessEnv, say: (text: string) => void): Promise<string> {
  return (await presentProgram(name, env)) ?? built(name, PACKAGES[name], env, say);
}

/** One of them, where it need not be built. */
export async function presentProgram(name: Name, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of [env['KUBEBUILDER_ASSETS'], await cacheFolder(env)])
    if (folder && (await isThere(join(folder, name)))) return join(folder, name);
  return undefined;
}

async function cacheFolder(env: NodeJS.ProcessEnv): Promise<string> {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'headwater', 'cluster', await keyOfSources());
}

async function built(
  name: string,
  source: string,
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
): Promise<string> {
  const folder = await cacheFolder(env);
  const path = join(folder, name);
  await checkGo();
  await mkdir(folder, { recursive: true });
  say(`building ${name} (once; kept in ${folder})`);
  const startedAt = Date.now();
  const draft = `${path}.${process.pid}`;
  try {
    await build(draft, source, env);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  say(`built ${name} in ${Math.round((Date.now() - startedAt) / 1000)} s`);
  return path;
}

/** Other sources, other programs. */
async function keyOfSources(): Promise<string> {
  const hash = createHash('sha256').update(LDFLAGS);
  for (const file of ['go.mod', 'go.sum']) hash.update(await readFile(join(assets, file)));
  return hash.digest('hex').slice(0, 16);
}

async function checkGo(): Promise<void> {
  try {
    await run('go', ['version']);
  } catch (error) {
    throw new Error(
      `the end-to-end tests need a Kubernetes API server: install Go 1.26 (it is then built), or set KUBEBUILDER_ASSETS (${messageOf(error)})`,
      { cause: error },
    );
  }
}

function build(path: string, source: string, env: NodeJS.ProcessEnv): Promise<void> {
  const args = ['build', '-trimpath', '-ldflags', LDFLAGS, '-o', path, source];
  const child = spawn('go', args, {
    cwd: assets,
    env: { ...env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`go build ${source} ended with ${code}`)),
    );
  });
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) await clusterPrograms(process.env, (text) => process.stderr.write(`${text}\n`));
