import { ConfigurationError } from '../core/errors.ts';
import { parseRoute } from '../core/route.ts';
import { definitionOf } from '../sources/registry.ts';

/** A route of a kind that nobody knows is as broken as one that is no JSON. */
export function parseServableRoute(text: string): ReturnType<typeof parseRoute> {
  const parsed = parseRoute(text);
  if (definitionOf(parsed.route.kind)) return parsed;
  throw new ConfigurationError('route', [`kind ${parsed.route.kind} is not supported by this version`]);
}
