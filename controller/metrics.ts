import { Counter, collectDefaultMetrics, Registry } from 'prom-client';

/** Labels are bounded: admission webhooks are the cluster's own. */
export class ControllerMetrics {
  readonly #registry = new Registry();
  readonly #writesRefused: Counter<'webhook'>;

  constructor() {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#writesRefused = new Counter({
      name: 'headwater_controller_writes_refused_total',
      help: 'Writes to sources that an admission webhook refused.',
      labelNames: ['webhook'],
      registers,
    });
  }

  writeRefused(webhook: string): void {
    this.#writesRefused.inc({ webhook });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
