import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '../core/errors.ts';
import { ABSENT, manifestNames } from '../core/manifest-paths.ts';
import type { Problem } from '../core/problem.ts';
import { readDocuments, type TextDocument } from '../core/yaml-text.ts';

/** The text of a file, or why it cannot be read; a sentence. */
export type ReadText = (file: string) => Promise<{ readonly text: string } | { readonly why: string }>;

export async function textOfFile(file: string): ReturnType<ReadText> {
  try {
    return { text: await readFile(file, 'utf8') };
  } catch (error) {
    return {
      why: ABSENT.has(codeOf(error) ?? '') ? `there is no file ${file}` : `it cannot be read: ${messageOf(error)}`,
    };
  }
}

/** The documents of a text that can be read, and what is wrong with the others. */
export function documentsIn(
  text: string,
  file: string,
  options = { likeKubectl: false },
): { documents: readonly TextDocument[]; problems: readonly Problem[] } {
  const read = readDocuments(text, options);
  return {
    documents: read.filter((document) => 'content' in document),
    problems: read.flatMap((document) =>
      'mistakes' in document ? document.mistakes.map(({ line, message }) => ({ file, line, message })) : [],
    ),
  };
}

/** The files that are named, and the manifests of the folders that are; each once. */
export async function filesIn(paths: readonly string[]): Promise<readonly string[]> {
  const files = new Set<string>();
  for (const path of paths) {
    const names = await readdir(path).catch(() => undefined);
    for (const file of names ? manifestNames(names).map((name) => join(path, name)) : [join(path)]) files.add(file);
  }
  return [...files];
}
