import type { SourceObject } from './objects.ts';
import type { DedicatedSettings } from './resources/adapter-pod.ts';
import { blocked, type Step } from './step.ts';

/** `shared`: one adapter serves all sources; `dedicated`: the source has one of its own. */
export const adapterModes = ['shared', 'dedicated'] as const;
export type AdapterMode = (typeof adapterModes)[number];

export interface AdapterModes {
  /** `refused`: none here; `shared`: a source that asks for one is served by the shared one; else how they are made. */
  readonly dedicated: 'refused' | 'shared' | DedicatedSettings;
  /** Of sources that do not say. */
  readonly defaultMode: AdapterMode;
}

/** Which adapter is to serve the source. */
export function modeOf({ spec }: SourceObject, { dedicated, defaultMode }: AdapterModes): Step<AdapterMode> {
  const mode = dedicated === 'shared' ? 'shared' : (spec.adapter?.mode ?? defaultMode);
  if (mode === 'shared' || dedicated !== 'refused') return { done: mode };
  const message =
    'this install makes no adapters for single sources: apply config/dedicated (or set ADAPTER_IMAGE of the controller), or set spec.adapter.mode to shared';
  return blocked('DedicatedNotEnabled', message);
}
