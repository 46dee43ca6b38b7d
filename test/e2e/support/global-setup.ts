import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { clusterPrograms } from './cluster-programs.ts';
import { ControlPlane } from './control-plane.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of an administrator. */
    readonly kubeconfig: string;
    readonly kubectl: string;
    readonly caFile: string;
    readonly apiUrl: string;
  }
}

const root = join(import.meta.dirname, '../../..');

/** One control plane for all test files, with our definitions, rights and the kinds of Knative the tests use. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const programs = await clusterPrograms(process.env, (text) => process.stderr.write(`${text}\n`));
  const plane = await ControlPlane.start(programs);
  const apply = async (path: string) => {
    const { code, stderr } = await plane.kubectl('apply', '--server-side', '-f', join(root, path));
    if (code !== 0) throw new Error(`kubectl apply ${path}: ${stderr}`);
  };
  try {
    for (const path of ['crds', 'test/e2e/fixtures', 'config/rbac']) await apply(path);
    await plane.kubectl('wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s');
  } catch (error) {
    await plane.stop();
    throw error;
  }
  project.provide('kubeconfig', plane.adminKubeconfig);
  project.provide('kubectl', programs.kubectl);
  project.provide('caFile', plane.caFile);
  project.provide('apiUrl', plane.url);
  return () => plane.stop();
}
