import { isDeepStrictEqual } from 'node:util';

/** The media type of RFC 7386. */
export const MERGE_PATCH = 'application/merge-patch+json';

type Json = Readonly<Record<string, unknown>>;

/** The JSON merge patch (RFC 7386) that makes `to` of `from`: what is gone is null, lists are replaced whole. */
export function mergePatch(from: Json, to: Json): Json {
  const patch: Record<string, unknown> = {};
  for (const name of Object.keys(from)) if (to[name] === undefined && from[name] !== undefined) patch[name] = null;
  for (const [name, value] of Object.entries(to)) {
    const before = from[name];
    if (value === undefined || isDeepStrictEqual(before, value)) continue;
    patch[name] = isObject(before) && isObject(value) ? mergePatch(before, value) : value;
  }
  return patch;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
