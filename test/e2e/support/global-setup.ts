import type { TestProject } from 'vitest/node';
import { startCluster } from './cluster.ts';

/** One control plane for all test files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { plane, cluster } = await startCluster();
  project.provide('cluster', cluster);
  return () => plane.stop();
}
