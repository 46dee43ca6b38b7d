import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AddressGuard } from '../core/address-guard.ts';
import { listen } from '../core/listen.ts';
import type { Log } from '../core/log.ts';
import type { Route } from '../core/route.ts';
import { definitionOf } from '../sources/registry.ts';
import { BufferedBytes, type HeldBytes } from './body.ts';
import type { AdapterConfig } from './config.ts';
import { Deduplication } from './deduplication.ts';
import { deliverEvent, type OutgoingEvent } from './deliver.ts';
import { deliveryLogger } from './delivery-log.ts';
import { buildInternalServer } from './internal-server.ts';
import { Metrics } from './metrics.ts';
import type { Receipt } from './receive.ts';
import { RouteTable, type ServedRoute } from './route-table.ts';
import type { RouteReceiver } from './routes-dir.ts';
import { buildServer } from './server.ts';
import { type Sink, SinkPools } from './sink-pools.ts';

export interface Adapter {
  readonly port: number;
  readonly internalPort: number;
  /** Reports not ready, serves on for `delayMs`, takes no new work, finishes what it holds. */
  stop(delayMs: number): Promise<void>;
}

const POOL_SWEEP_MS = 60_000;

/** Where routes come from: it puts all of them into the table when it starts, and keeps the table as they are. */
export interface RouteFeed {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Builds every part of the adapter and starts it; ready when all routes were read once. `poolSweepMs`: how often to look
 * for connections to sinks that no route has any more; `portSetting`: what a user sets to have another port.
 */
export async function startAdapter(
  config: AdapterConfig,
  log: Log,
  feedOf: (table: RouteReceiver) => RouteFeed,
  { poolSweepMs = POOL_SWEEP_MS, portSetting = 'PORT' } = {},
): Promise<Adapter> {
  const clock = () => performance.now();
  const routes = new RouteTable(definitionOf, config);
  const deduplication = new Deduplication(config.remembered);
  const room = new BufferedBytes(config.limits.bufferedBytes);
  const metrics = new Metrics(routes, room);
  const { delivery } = config;
  const pools = new SinkPools({
    guard: new AddressGuard({ allowLoopback: delivery.allowLoopbackSinks }),
    proxies: config.proxies,
    connectionsPerSink: delivery.connectionsPerSink,
    connectTimeoutMs: delivery.attemptTimeoutMs,
  });
  const deliverDeps = { pools, limits: delivery, clock };
  const logDelivery = deliveryLogger(log);
  let ready = false;
  let stopping = false;

  const receiverFor = (arrivedAt: number, held: HeldBytes) => ({
    routes,
    deduplication,
    now: () => new Date(),
    keep: (event: OutgoingEvent, route: ServedRoute) => {
      held.include(event.data);
      const deadline = arrivedAt + (delivery.budgetMs ?? route.definition.replyBudgetMs);
      return deliverEvent(event, route, { deadline, held }, deliverDeps);
    },
  });
  const record = (receipt: Receipt, seconds: number) => {
    metrics.record(receipt, seconds);
    logDelivery(receipt, seconds);
  };
  const isStopping = () => stopping;
  const server = buildServer({ routes, limits: config.limits, room, receiverFor, isStopping, record, clock, log });
  const instance = randomUUID().slice(0, 8);
  const internal = buildInternalServer({ routes, metrics, instance, isReady: () => ready });
  const table = {
    put: (route: Route) => routes.put(route),
    remove: (uid: string) => {
      routes.remove(uid);
      deduplication.forget(uid);
    },
  };
  const feed = feedOf(table);
  const sweep = setInterval(() => pools.retain(sinksOf(routes)), poolSweepMs);
  sweep.unref();

  const stop = async (delayMs: number) => {
    ready = false;
    stopping = true;
    await sleep(delayMs);
    clearInterval(sweep);
    await feed.stop();
    await server.close();
    await Promise.all([internal.close(), pools.close()]);
  };
  try {
    await feed.start();
    const { host } = config;
    const internalPort = await listen(internal, {
      host,
      port: config.internalPort,
      setting: 'INTERNAL_PORT',
    });
    const port = await listen(server, { host, port: config.port, setting: portSetting });
    ready = true;
    log.info({ port, internalPort, routes: routes.size, proxies: config.proxies.origins }, 'adapter ready');
    return { port, internalPort, stop };
  } catch (error) {
    await stop(0);
    throw error;
  }
}

function sinksOf(routes: RouteTable): Sink[] {
  return routes
    .served()
    .flatMap(({ sink, deadLetterSink }) => [sink, deadLetterSink].filter((known) => known !== null));
}
