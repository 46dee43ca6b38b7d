import type { JsonObject } from '../contract.ts';

export type Scalar = string | number | boolean;

/** Reads one attribute's value from a payload; undefined: the event has no such attribute. */
export interface Reader {
  (payload: JsonObject): Scalar | undefined;
  /** Where in the payload the value stands, if it is taken as it is. */
  readonly member?: readonly string[];
  /** What stands for absent and null. */
  readonly fallback?: Scalar | undefined;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own members only: an event may be named `constructor`, a payload may hold `__proto__`. */
export function member(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function at(payload: JsonObject, path: readonly string[]): Scalar | undefined {
  let value: unknown = payload;
  for (const name of path) value = member(value, name);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

/** The reader of the scalar at a dotted path, such as `repository.owner.login`; `fallback` stands for absent and null. */
export function read(path: string, fallback?: Scalar): Reader {
  const names = path.split('.');
  return Object.assign((payload: JsonObject) => at(payload, names) ?? fallback, { member: names, fallback });
}

/** What `JSON.parse` cannot hold: integers beyond 2^53, and fractions whose digits a double changes. */
export function isInexact(value: Scalar | undefined): boolean {
  return typeof value === 'number' && !Number.isSafeInteger(value);
}

/**
 * Parses JSON with each inexact number replaced by its own text: ids may exceed 2^53. undefined when it is nested too
 * deep: `JSON.parse` calls a function for each value only by recursion.
 */
export function parseWithExactNumbers(text: string): JsonObject | undefined {
  const exact = (_name: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && isInexact(value) ? (context?.source ?? value) : value;
  try {
    return JSON.parse(text, exact) as JsonObject;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
