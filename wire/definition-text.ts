import type { Place, Problem } from '../core/problem.ts';
import type { Path } from '../core/schema.ts';
import type { TextDocument } from '../core/yaml-text.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A list, or nothing: definitions are read tolerantly, and what is no list holds nothing. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The objects of a list, or none. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return listOf(value).filter(isObject);
}

/** A text that says something; 0.8 definitions often have empty ones. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** Entries of an object, or none. */
export function entriesOf(value: unknown): readonly [string, unknown][] {
  return isObject(value) ? Object.entries(value) : [];
}

/** A part of a text that can say where each thing in it stands. */
export interface Located {
  readonly content: JsonObject;
  readonly placeOf: (path: Path) => Place;
}

/** `content` stands at `base` of a document. */
export function located(file: string, document: TextDocument, base: Path, content: JsonObject): Located {
  return { content, placeOf: (path) => ({ file, ...document.positionOf([...base, ...path]) }) };
}

export function problemAt({ file, line }: Place, message: string): Problem {
  return { file, line, message };
}

/** What a reader tolerates but people should know. */
export interface Oddity extends Problem {
  readonly column: number;
  /** Whether it refers to what is not there, so that no runtime can do it. */
  readonly isDangling: boolean;
}

export function oddityAt({ file, line, column }: Place, message: string, isDangling = false): Oddity {
  return { file, line, column, message, isDangling };
}

/** RFC 6901. */
export function pointerOf(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** The inside of a runtime expression, `${ … }`; undefined: the text is none. */
export function expressionIn(text: string): string | undefined {
  return /^\s*\$\{([\s\S]*)\}\s*$/.exec(text)?.[1]?.trim();
}
