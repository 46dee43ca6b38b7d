import { collectDefaultMetrics, type Registry } from 'prom-client';

/** How often the delay of the event loop is looked at, in milliseconds: prom-client's 10 take a third of a percent of a core. */
const EVENT_LOOP_MS = 100;

/** What prom-client tells of any process. */
export function collectProcessMetrics(register: Registry): void {
  collectDefaultMetrics({ register, eventLoopMonitoringPrecision: EVENT_LOOP_MS });
}
