import { expect, vi } from 'vitest';
import type { Upstream, UpstreamState } from '../../controller/upstream.ts';

/** The controller that served the sources before, as a scenario has it. */
export class FakeUpstream implements Upstream {
  #state: UpstreamState;
  readonly #listeners: (() => void)[] = [];
  /** One for each look at a source. */
  asked = 0;

  constructor(state: UpstreamState) {
    this.#state = state;
  }

  turn(state: UpstreamState): void {
    this.#state = state;
    for (const listen of this.#listeners) listen();
  }

  /** Brings the one source there is back twice: a look begins when the one before has ended. */
  async lookedAgain(): Promise<void> {
    for (const _ of [1, 2]) {
      const { asked } = this;
      this.turn(this.#state);
      await vi.waitFor(() => expect(this.asked).toBeGreaterThan(asked), { interval: 5 });
    }
  }

  stateOf(): UpstreamState {
    this.asked += 1;
    return this.#state;
  }

  onTurn(listen: () => void): void {
    this.#listeners.push(listen);
  }
}
