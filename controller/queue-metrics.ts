import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { QueueObserver } from './work-queue.ts';

/** Seconds; the last ones lie around the longest wait between two tries. */
const BUCKETS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1000];

/** The work queue under the names and with the meanings of client-go; `name` tells queues apart, and is the only label. */
export class QueueMetrics implements QueueObserver {
  readonly #clock: () => number;
  /** Since when, by key; the first was added first. */
  readonly #waiting = new Map<string, number>();
  readonly #underWay = new Map<string, number>();
  readonly #adds: Counter.Internal;
  readonly #retries: Counter.Internal;
  readonly #waits: Histogram.Internal<'name'>;
  readonly #works: Histogram.Internal<'name'>;

  /** `clock`: monotonic, in seconds. */
  constructor(registry: Registry, name: string, clock = () => performance.now() / 1000) {
    this.#clock = clock;
    const labels = { name };
    const common = { labelNames: ['name'] as const, registers: [registry] };
    const counter = (metric: string, help: string) => {
      const made = new Counter({ name: metric, help, ...common });
      made.inc(labels, 0);
      return made.labels(labels);
    };
    const histogram = (metric: string, help: string) => {
      const made = new Histogram({ name: metric, help, buckets: BUCKETS, ...common });
      made.zero(labels);
      return made.labels(labels);
    };
    const gauge = (metric: string, help: string, value: () => number) =>
      new Gauge({
        name: metric,
        help,
        ...common,
        collect() {
          this.set(labels, value());
        },
      });
    this.#adds = counter('workqueue_adds_total', 'Sources that were to be looked at.');
    this.#retries = counter('workqueue_retries_total', 'Looks that were to be repeated later.');
    this.#waits = histogram('workqueue_queue_duration_seconds', 'How long a source waits for its look.');
    this.#works = histogram('workqueue_work_duration_seconds', 'How long a look at a source takes.');
    gauge('workqueue_depth', 'Sources that wait for a look.', () => this.#waiting.size);
    gauge('workqueue_unfinished_work_seconds', 'Time that looks under way took so far, all together.', () =>
      this.#ages().reduce((sum, age) => sum + age, 0),
    );
    gauge('workqueue_longest_running_processor_seconds', 'Time that the longest look under way took so far.', () =>
      Math.max(0, ...this.#ages()),
    );
  }

  added(key: string): void {
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, this.#clock());
    this.#adds.inc();
  }

  scheduled(): void {
    this.#retries.inc();
  }

  started(key: string): void {
    const now = this.#clock();
    this.#waits.observe(now - (this.#waiting.get(key) ?? now));
    this.#waiting.delete(key);
    this.#underWay.set(key, now);
  }

  finished(key: string): void {
    const now = this.#clock();
    this.#works.observe(now - (this.#underWay.get(key) ?? now));
    this.#underWay.delete(key);
  }

  #ages(): number[] {
    const now = this.#clock();
    return [...this.#underWay.values()].map((since) => now - since);
  }
}
