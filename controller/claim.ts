import type { Claim } from '../sources/contract.ts';
import type { SourceObject } from './objects.ts';
import { pathOf } from './resources/route.ts';

/** A webhook is a source's when the path of its URL ends with the source's, whatever scheme and host. */
export function claimOf(source: SourceObject): Claim {
  const path = pathOf(source);
  return ({ url }) => URL.parse(url)?.pathname.endsWith(path) ?? false;
}
