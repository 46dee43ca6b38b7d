import type { TestProject } from 'vitest/node';
import { installInto, startCluster } from './cluster.ts';
import { givenCluster } from './given-cluster.ts';

/** One cluster for all test files: a control plane of this run, or the one `E2E_KUBECONFIG` names. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['E2E_KUBECONFIG'];
  if (given) {
    const cluster = await givenCluster(given);
    await installInto(cluster);
    project.provide('cluster', cluster);
    return () => Promise.resolve();
  }
  const { plane, cluster } = await startCluster();
  project.provide('cluster', cluster);
  return () => plane.stop();
}
