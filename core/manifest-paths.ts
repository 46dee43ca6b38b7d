import { stat } from 'node:fs/promises';
import { ConfigurationError, codeOf, messageOf } from './errors.ts';
import { placeOf } from './place-of.ts';

/** There is nothing, or it is no folder; any other error says nothing about what is gone. */
export const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/** Of the names in a folder those of manifests, sorted: `.yaml`, `.yml` and `.json`, as with kubectl. */
export function manifestNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => /\.(ya?ml|json)$/.test(name) && !name.startsWith('.')).toSorted();
}

/** @throws ConfigurationError naming every path that is not there. */
export async function checkPaths(paths: readonly string[]): Promise<void> {
  const problems: string[] = [];
  for (const path of paths) {
    await stat(path).catch((error: unknown) => {
      const isAbsent = ABSENT.has(codeOf(error) ?? '');
      const why = isAbsent ? 'no such file or folder' : `it cannot be read: ${messageOf(error)}`;
      problems.push(`${placeOf(path)}: ${why}`);
    });
  }
  if (problems.length > 0) throw new ConfigurationError('manifests', problems);
}
