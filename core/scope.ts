/** What was started, to be stopped again: the newest first. */
export class Scope {
  readonly #stops: (() => Promise<void> | void)[] = [];

  /** Returns what it is given. */
  add<Part extends { stop(): Promise<void> | void }>(part: Part): Part {
    this.#stops.push(() => part.stop());
    return part;
  }

  async end(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
  }
}
