import { isAbsolute, relative } from 'node:path';

/** The folder may be gone later. */
const START = process.cwd();

/** A file as people in the folder this began in would name it. */
export function placeOf(file: string): string {
  const near = relative(START, file);
  return isAbsolute(near) || near.startsWith('..') ? file : near || '.';
}
