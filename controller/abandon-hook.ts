import type { SourceObject } from './objects.ts';

export const ABANDON_HOOK = 'headwater.dev/abandon-hook';

/** Whether the user lets webhooks go that cannot be removed. */
export function letsGo({ metadata }: SourceObject): boolean {
  return metadata.annotations?.[ABANDON_HOOK] === 'true';
}
