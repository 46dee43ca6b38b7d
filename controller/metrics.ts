import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { memoryLimit } from '../core/memory-limit.ts';
import { collectProcessMetrics } from '../core/process-metrics.ts';
import { type ReconcileResult, reconcileResults } from './controller.ts';
import { ProviderMetrics } from './provider-metrics.ts';
import { QueueMetrics } from './queue-metrics.ts';
import { SourceMetrics } from './source-metrics.ts';

/** Seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const LEASE = 'headwater-controller';

/**
 * What the controller does, under the names of client-go and controller-runtime where they have one. Labels are bounded:
 * admission webhooks are the cluster's own, codes and methods those of HTTP, kinds those of the registry.
 */
export class ControllerMetrics {
  readonly #registry = new Registry();
  readonly queue = new QueueMetrics(this.#registry, 'sources');
  readonly sources: SourceMetrics;
  readonly provider = new ProviderMetrics(this.#registry, () => new Date());
  readonly #reconciles: Counter<'controller' | 'result'>;
  readonly #reconcileErrors: Counter<'controller'>;
  readonly #reconcileTime: Histogram<'controller'>;
  readonly #requests: Counter<'method' | 'code'>;
  readonly #requestTime: Histogram<'verb'>;
  readonly #watchFailures: Counter;
  readonly #writesRefused: Counter<'webhook'>;
  readonly #leads: Gauge<'name'>;

  constructor(kinds: readonly string[]) {
    const registers = [this.#registry];
    this.sources = new SourceMetrics(this.#registry, kinds);
    collectProcessMetrics(this.#registry);
    const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
      new Counter({ name, help, labelNames, registers });
    const histogram = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
      new Histogram({ name, help, labelNames, buckets: BUCKETS, registers });
    this.#reconciles = counter('controller_runtime_reconcile_total', 'Looks at sources, by result.', [
      'controller',
      'result',
    ]);
    this.#reconcileErrors = counter('controller_runtime_reconcile_errors_total', 'Looks that failed unforeseen.', [
      'controller',
    ]);
    this.#reconcileTime = histogram('controller_runtime_reconcile_time_seconds', 'How long a look at a source takes.', [
      'controller',
    ]);
    this.#requests = counter('rest_client_requests_total', 'Requests to the API server.', ['method', 'code']);
    this.#requestTime = histogram('rest_client_request_duration_seconds', 'Until the API server begins to answer.', [
      'verb',
    ]);
    this.#watchFailures = counter('headwater_controller_watch_failures_total', 'Watches that failed and began anew.');
    this.#writesRefused = counter(
      'headwater_controller_writes_refused_total',
      'Writes to sources that an admission webhook refused.',
      ['webhook'],
    );
    this.#leads = new Gauge({
      name: 'leader_election_master_status',
      help: 'Whether this process leads.',
      labelNames: ['name'],
      registers,
    });
    this.leads(false);
    for (const kind of kinds) this.#startAtZero(controllerOf(kind));
    const limit = { name: 'headwater_memory_limit_bytes', help: 'What this process may use.', registers };
    new Gauge(limit).set(memoryLimit());
  }

  /** So that the first error is seen to be more than before. */
  #startAtZero(controller: string): void {
    for (const result of reconcileResults) this.#reconciles.inc({ controller, result }, 0);
    this.#reconcileErrors.inc({ controller }, 0);
    this.#reconcileTime.zero({ controller });
  }

  reconciled(kind: string, result: ReconcileResult, seconds: number): void {
    const controller = controllerOf(kind);
    this.#reconciles.inc({ controller, result });
    if (result === 'error') this.#reconcileErrors.inc({ controller });
    this.#reconcileTime.observe({ controller }, seconds);
  }

  requested(method: string, code: string, seconds: number): void {
    this.#requests.inc({ method, code });
    this.#requestTime.observe({ verb: method }, seconds);
  }

  watchFailed(): void {
    this.#watchFailures.inc();
  }

  writeRefused(webhook: string): void {
    this.#writesRefused.inc({ webhook });
  }

  leads(does: boolean): void {
    this.#leads.set({ name: LEASE }, does ? 1 : 0);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

/** As controller-runtime calls the controller of a kind. */
function controllerOf(kind: string): string {
  return kind.toLowerCase();
}
