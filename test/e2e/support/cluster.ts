import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { clusterPrograms } from './cluster-programs.ts';
import { ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
import { servingCrd } from './serving-crd.ts';

/** What a test needs to know of a cluster. */
export interface TestCluster {
  /** File of an administrator. */
  readonly kubeconfig: string;
  /** The program. */
  readonly kubectl: string;
  readonly caFile: string;
  readonly apiUrl: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    readonly cluster: TestCluster;
  }
}

const run = promisify(execFile);
const OURS = ['crds', 'config/rbac'];
const root = join(import.meta.dirname, '../../..');

/** The one of this run. */
export function sharedCluster(): TestCluster {
  return inject('cluster');
}

/** A control plane with our definitions and rights, and, unless told otherwise, the kinds of Knative the tests use. */
export async function startCluster(
  options: ControlPlaneOptions = {},
  ours: readonly string[] = OURS,
  { knative = true } = {},
): Promise<{ plane: ControlPlane; cluster: TestCluster }> {
  const programs = await clusterPrograms(process.env, (text) => process.stderr.write(`${text}\n`));
  const plane = await ControlPlane.start(programs, options);
  const cluster = {
    kubeconfig: plane.adminKubeconfig,
    kubectl: programs.kubectl,
    caFile: plane.caFile,
    apiUrl: plane.url,
  };
  try {
    await installInto(cluster, [...(knative ? await knativeKinds() : []), ...ours]);
  } catch (error) {
    await plane.stop();
    throw error;
  }
  return { plane, cluster };
}

const knativeKinds = async () => ['test/e2e/fixtures', await servingCrd()];

/** Files and folders: our definitions and rights, and the kinds of Knative the tests use, where none are named. */
export async function installInto({ kubectl, kubeconfig }: TestCluster, paths?: readonly string[]): Promise<void> {
  const call = (...args: string[]) => run(kubectl, [`--kubeconfig=${kubeconfig}`, ...args], { env: process.env });
  const installed = paths ?? [...(await knativeKinds()), ...OURS];
  for (const path of installed) await call('apply', '--server-side', '--force-conflicts', '-f', resolve(root, path));
  if (installed.length > 0) await call('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
}
