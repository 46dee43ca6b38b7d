import { Gauge, type Registry } from 'prom-client';
import { Census, webhookStates } from './census.ts';

/** Sources and their webhooks by state. */
export class SourceMetrics {
  readonly census = new Census();
  #orphans = 0;

  constructor(registry: Registry, kinds: readonly string[]) {
    const gauge = (name: string, help: string, labelNames: string[], fill: (gauge: Gauge) => void) =>
      new Gauge({
        name,
        help,
        labelNames,
        registers: [registry],
        collect() {
          this.reset();
          fill(this);
        },
      });
    gauge('headwater_sources', 'Sources, by status and reason of Ready.', ['kind', 'ready', 'reason'], (sources) => {
      for (const { kind, ready, reason, count } of this.census.counts()) sources.inc({ kind, ready, reason }, count);
    });
    gauge('headwater_webhooks', 'Webhooks of sources, by state.', ['kind', 'state'], (webhooks) => {
      for (const kind of kinds) for (const state of webhookStates) webhooks.set({ kind, state }, 0);
      for (const { kind, webhook: state, count } of this.census.counts()) webhooks.inc({ kind, state }, count);
    });
    gauge(
      'headwater_orphaned_webhooks',
      'Webhooks left behind at providers, as ConfigMap headwater-orphaned-hooks lists them.',
      [],
      (orphans) => orphans.set(this.#orphans),
    );
  }

  /** So many webhooks are noted as left behind. */
  orphaned(count: number): void {
    this.#orphans = count;
  }
}
