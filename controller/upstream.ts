import type { SourceDefinition } from '../sources/contract.ts';

/**
 * Whether the controller that served a kind before is at work on its sources. `unclear`: its Lease has a holder, and was
 * not looked at for long enough to say whether that holder is alive.
 */
export type UpstreamState = 'running' | 'unclear' | 'gone';

export interface Upstream {
  stateOf(definition: SourceDefinition): UpstreamState;
  /** `listen` is called whenever the state of one may be another. */
  onTurn(listen: () => void): void;
}

/** Where nobody was before. */
export const NO_UPSTREAM: Upstream = {
  stateOf: () => 'gone',
  onTurn: () => undefined,
};
