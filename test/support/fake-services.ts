import type { OldService, ServiceRemoval, ServiceStore } from '../../controller/old-services.ts';

/** The Knative Services upstream's controller made for the one source of a scenario. */
export class FakeServices implements ServiceStore {
  readonly #onRemove: (service: OldService) => void;
  services: readonly OldService[];
  /** What the API server says to each that is to be removed. */
  answer: ServiceRemoval = { kind: 'removed' };
  /** How often somebody wanted to remove one. */
  attempts = 0;
  /** How often somebody asked which there are. */
  asked = 0;
  /** Whether they may be seen. */
  isVisible = true;

  constructor(services: readonly OldService[], onRemove: (service: OldService) => void = () => undefined) {
    this.services = services;
    this.#onRemove = onRemove;
  }

  async controlledBy(): Promise<readonly OldService[] | undefined> {
    this.asked += 1;
    return this.isVisible ? this.services : undefined;
  }

  async remove(service: OldService): Promise<ServiceRemoval> {
    this.attempts += 1;
    this.#onRemove(service);
    if (this.answer.kind === 'removed') this.services = this.services.filter(({ uid }) => uid !== service.uid);
    return this.answer;
  }
}
