import type { Problem } from '../core/problem.ts';
import { isObject, textOf } from './definition-text.ts';
import type { KubeManifest } from './model.ts';
import { documentsIn, filesIn, textOfFile } from './read-files.ts';

/**
 * The objects of the Kubernetes API in files and folders, as readWiring takes them; what is in the files besides is
 * passed over. Lists are taken apart.
 */
export async function readManifests(
  paths: readonly string[],
): Promise<{ readonly manifests: readonly KubeManifest[]; readonly problems: readonly Problem[] }> {
  const manifests: KubeManifest[] = [];
  const problems: Problem[] = [];
  for (const file of await filesIn(paths)) {
    const read = await textOfFile(file);
    if ('why' in read) problems.push({ file, line: 0, message: read.why });
    else {
      // What cannot be read is told by readWiring, which reads the same.
      const { documents } = documentsIn(read.text, file, { likeKubectl: true });
      manifests.push(...documents.flatMap(({ content }) => objectsIn(content)));
    }
  }
  return { manifests, problems };
}

function objectsIn(content: unknown): readonly KubeManifest[] {
  if (!isObject(content)) return [];
  const { apiVersion, kind, metadata, items } = content;
  if (textOf(kind)?.endsWith('List') && Array.isArray(items)) return items.flatMap(objectsIn);
  const isManifest = textOf(apiVersion) && textOf(kind) && isObject(metadata) && textOf(metadata['name']);
  return isManifest ? [content as unknown as KubeManifest] : [];
}
