import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestCluster } from './cluster.ts';

const run = promisify(execFile);

interface Config {
  readonly clusters: readonly { cluster: { server: string; 'certificate-authority-data'?: string } }[];
}

/** A cluster that is there already, by the kubeconfig of an administrator of it; kubectl is the one of the PATH. */
export async function givenCluster(kubeconfig: string): Promise<TestCluster> {
  const { stdout } = await run('kubectl', [
    `--kubeconfig=${kubeconfig}`,
    'config',
    'view',
    '--raw',
    '--minify',
    '--flatten',
    '-o',
    'json',
  ]);
  const [first] = (JSON.parse(stdout) as Config).clusters;
  const authority = first?.cluster['certificate-authority-data'];
  if (!first || authority === undefined) throw new Error(`${kubeconfig} names no cluster with certificates`);
  await refuseIfInUse(kubeconfig);
  const folder = await mkdtemp(join(tmpdir(), 'headwater-e2e-given-'));
  const caFile = join(folder, 'ca.crt');
  await writeFile(caFile, Buffer.from(authority, 'base64'));
  // Of one user and one cluster, whatever else is in it.
  const own = join(folder, 'kubeconfig');
  await writeFile(own, stdout);
  return { kubeconfig: own, kubectl: 'kubectl', caFile, apiUrl: first.cluster.server };
}

/** The tests' controller would take over sources that are there, and their webhooks at the real provider. */
async function refuseIfInUse(kubeconfig: string): Promise<void> {
  const get = (kind: string) =>
    run('kubectl', [`--kubeconfig=${kubeconfig}`, 'get', kind, '-A', '-o', 'name', '--ignore-not-found']).then(
      ({ stdout }) => stdout.trim(),
      // The cluster has no such kind.
      () => '',
    );
  for (const kind of ['githubsources.sources.knative.dev', 'brokers.eventing.knative.dev']) {
    const found = await get(kind);
    if (found !== '') throw new Error(`this cluster is in use: it has ${kind}; take one that is made for tests`);
  }
}
