import type { Problem } from '../core/problem.ts';
import type { Path } from '../core/schema.ts';
import type { WorkflowConfig } from './config.ts';
import { isObject } from './definition-text.ts';
import type { KubeManifest, Runtime } from './model.ts';
import { KNATIVE_SERVICE } from './planned-object.ts';
import { documentsIn, type ReadText } from './read-files.ts';
import { nameFrom } from './sources.ts';

/** Where an entry of wire.yaml says that a workflow runs. `manifest`: the Knative Service, where the entry names its file. */
export function runtimeOf(config: WorkflowConfig, workflowName: string, manifest?: KubeManifest): Runtime {
  const { runtime, service = nameFrom(workflowName), deployment = service, path = '/', uri = '' } = config;
  switch (runtime) {
    case 'uri':
      return { kind: runtime, uri };
    case 'deployment':
      return { kind: runtime, service, deployment, path };
    case 'knative-service':
      return { kind: runtime, service, path, manifest };
    case 'sonataflow':
      return { kind: runtime, service, path };
    default:
      return runtime satisfies never;
  }
}

/** Reads the Knative Service of this name from a file of manifests. */
export async function readKnativeService(
  file: string,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  readText: ReadText,
): Promise<
  { manifest: KubeManifest } | { problems: readonly (Problem | { readonly at: Path; readonly message: string })[] }
> {
  const at = (message: string) => ({ problems: [{ at: ['manifest'], message }] });
  const read = await readText(file);
  if ('why' in read) return at(read.why);
  const { documents, problems } = documentsIn(read.text, file, { likeKubectl: true });
  if (problems.length > 0) return { problems };
  const services = documents.map(({ content }) => content).filter(isKnativeService);
  const manifest = services.find((service) => service.metadata.name === name);
  if (!manifest) {
    const names = services.map((service) => service.metadata.name).join(', ') || 'none';
    return at(`${file} has no Knative Service ${name}; the Knative Services in it: ${names}`);
  }
  const own = manifest.metadata.namespace ?? namespace;
  return own === namespace
    ? { manifest }
    : at(`the Knative Service ${name} is of namespace ${own}, the set of ${namespace}`);
}

function isKnativeService(content: unknown): content is KubeManifest {
  if (!isObject(content) || !isObject(content['metadata'])) return false;
  const { apiVersion, kind, metadata } = content;
  return (
    apiVersion === KNATIVE_SERVICE.apiVersion && kind === KNATIVE_SERVICE.kind && typeof metadata['name'] === 'string'
  );
}
