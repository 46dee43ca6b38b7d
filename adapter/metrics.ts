import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { memoryLimit } from '../core/memory-limit.ts';
import { collectProcessMetrics } from '../core/process-metrics.ts';
import type { BufferedBytes } from './body.ts';
import type { Receipt } from './receive.ts';
import { countersAtZero } from './route-state.ts';
import type { RouteTable } from './route-table.ts';

/** Seconds; the last ones lie around the providers' time limits. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 8, 10, 30];

/**
 * Labels are bounded: source (only one that has a route) and outcome. Counters are kept as plain numbers with the routes
 * and copied when asked, so that an event costs an addition.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #unrouted = countersAtZero();
  readonly #duration: Histogram;
  #attempts = 0;
  #deadLettered = 0;

  constructor(routes: RouteTable, room: BufferedBytes) {
    const registers = [this.#registry];
    collectProcessMetrics(this.#registry);
    this.#duration = new Histogram({
      name: 'headwater_delivery_duration_seconds',
      help: 'From the arrival of a delivery to its reply.',
      buckets: BUCKETS,
      registers,
    });
    const copied = (name: string, help: string, labelNames: string[], copy: (counter: Counter) => void) =>
      new Counter({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          copy(this);
        },
      });
    copied('headwater_deliveries_total', 'Requests by source and outcome.', ['source', 'outcome'], (counter) => {
      for (const [outcome, count] of Object.entries(this.#unrouted))
        if (count) counter.inc({ source: '', outcome }, count);
      for (const { route, state } of routes.all()) {
        const source = `${route.namespace}/${route.name}`;
        for (const [outcome, count] of Object.entries(state.counters))
          if (count) counter.inc({ source, outcome }, count);
      }
    });
    copied('headwater_conflicts_total', 'Deliveries whose id came before with another body.', ['source'], (counter) => {
      for (const { route, state } of routes.all()) {
        if (state.conflicts) counter.inc({ source: `${route.namespace}/${route.name}` }, state.conflicts);
      }
    });
    copied('headwater_sink_attempts_total', 'Requests sent to sinks and dead-letter sinks.', [], (counter) =>
      counter.inc(this.#attempts),
    );
    copied('headwater_dead_lettered_total', 'Events that went to a dead-letter sink.', [], (counter) =>
      counter.inc(this.#deadLettered),
    );
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    gauge('headwater_routes', 'Sources being served.', () => routes.size);
    gauge('headwater_memory_limit_bytes', 'What this process may use.', () => memoryLimit());
    gauge('headwater_buffered_bytes', 'Bytes of all bodies held now.', () => room.held);
  }

  record({ route, outcome }: Receipt, seconds: number): void {
    if (route) route.state.count(outcome.kind);
    else this.#unrouted[outcome.kind] += 1;
    this.#duration.observe(seconds);
    if ('attempts' in outcome) this.#attempts += outcome.attempts;
    if (outcome.kind === 'kept' && outcome.deadLettered !== undefined) this.#deadLettered += 1;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
