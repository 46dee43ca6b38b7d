import pino from 'pino';
import { type Adapter, startAdapter } from '../adapter/adapter.ts';
import { readAdapterConfig } from '../adapter/config.ts';
import { AccessTokens } from '../controller/access-tokens.ts';
import { AdapterMoves } from '../controller/adapter-moves.ts';
import { Census } from '../controller/census.ts';
import { NO_CHILDREN } from '../controller/children.ts';
import { type Controller, startController } from '../controller/controller.ts';
import { FirstLooks } from '../controller/first-looks.ts';
import { HookMoves } from '../controller/hook-moves.ts';
import { NO_SERVICES, OldServices } from '../controller/old-services.ts';
import { NO_ADDRESSES } from '../controller/public-addresses.ts';
import { RefusedWrites } from '../controller/refused-writes.ts';
import type { SinkDeps } from '../controller/sink.ts';
import { NO_UPSTREAM } from '../controller/upstream.ts';
import type { PortWish } from '../core/listen.ts';
import type { Proxies } from '../core/proxies.ts';
import type { SourceDefinition } from '../sources/contract.ts';
import type { DevLine, Report } from './dev-line.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import type { MemoryRoutes } from './memory-routes.ts';

export const HOST = '127.0.0.1';
const HOUR_MS = 3_600_000;
/** As in a cluster. */
const MOVES_PER_MINUTE = 60;

/** Says what went wrong in a part, for people. */
export type Warn = (from: string, message: string) => void;

/** The adapter of a cluster, on loopback, with its routes from memory. */
export function startLocalAdapter(
  { port, proxies }: { readonly port: PortWish; readonly proxies: Proxies },
  routes: MemoryRoutes,
  report: Report,
): Promise<Adapter> {
  const config = readAdapterConfig({ HOST, ALLOW_LOOPBACK_SINKS: 'true', SHUTDOWN_DELAY_MS: '0' });
  const internalPort = { preferred: 8090 };
  return startAdapter({ ...config, port, internalPort, proxies }, adapterLog(report), routes.feed, {
    portSetting: '--port',
  });
}

export interface LocalControllerOptions {
  readonly cluster: MemoryCluster;
  readonly definitions: readonly SourceDefinition[];
  readonly sinks: Omit<SinkDeps, 'objects'>;
  readonly proxies: Proxies;
  /** Base URL under which the provider with this API reaches the adapter; `api` undefined: the user makes the webhook. */
  readonly publicUrlFor: (api: string | undefined) => string | undefined;
  readonly warn: Warn;
}

/** The controller of a cluster, over the one in memory. */
export function startLocalController({
  cluster,
  definitions,
  sinks,
  proxies,
  publicUrlFor,
  warn,
}: LocalControllerOptions): Controller {
  return startController({
    cluster,
    sources: definitions,
    definitionOf: (kind) => definitions.find((definition) => definition.kind === kind),
    upstream: NO_UPSTREAM,
    oldServices: new OldServices(NO_SERVICES),
    refusedWrites: new RefusedWrites({ retryMs: 60_000, now: () => new Date(), onRefused: () => undefined }),
    tokens: new AccessTokens(),
    firstLooks: new FirstLooks(0),
    census: new Census(),
    ...sinks,
    proxies,
    adapter: {
      dedicated: 'shared',
      defaultMode: 'shared',
      publicUrlFor,
      publicUrlAdvice: 'give --public-url, the URL of a tunnel to it, or --simulate to try without the provider',
    },
    addresses: NO_ADDRESSES,
    children: NO_CHILDREN,
    moves: new AdapterMoves(0),
    hookMoves: new HookMoves(MOVES_PER_MINUTE, new Date()),
    now: () => new Date(),
    secretOverlapMs: HOUR_MS,
    abandonHookMs: HOUR_MS,
    hookCheckMs: 600_000,
    firstDeliveryPoll: { leastMs: 500, longestMs: 500 },
    queue: { workers: 4, firstDelayMs: 200, longestDelayMs: 60_000, unchangedMs: 300_000 },
    log: warningLog('controller', warn),
  });
}

const LOG = { base: null, timestamp: false } as const;
const WARN = pino.levels.values['warn'] ?? 40;

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** What goes wrong is said; the rest is to be seen in status and in what the dumper gets. */
function warningLog(part: string, warn: Warn) {
  return pino({ ...LOG, level: 'warn' }, { write: (line) => warn(part, sentenceOf(JSON.parse(line) as LogLine)) });
}

/** Each delivery is said, also at a path where nothing is served, which the adapter logs for debugging. */
function adapterLog(report: Report) {
  const write = (text: string) => {
    const line = JSON.parse(text) as LogLine;
    if (line.msg === 'delivery') report(deliveryLineOf(line));
    else if (line.level >= WARN) report({ type: 'warning', from: 'adapter', message: sentenceOf(line) });
  };
  return pino({ ...LOG, level: 'debug' }, { write });
}

/** `adapter/delivery-log.ts` wrote it. */
function deliveryLineOf(line: LogLine): DevLine {
  const { source, event, delivery, status, outcome, detail, path, deadLettered } = line as Partial<
    Record<string, string>
  >;
  return {
    type: 'delivery',
    ...(source !== undefined && { source }),
    ...(event !== undefined && { eventType: event }),
    ...(delivery !== undefined && { id: delivery }),
    status: Number(status),
    outcome: String(outcome),
    ...((detail ?? path) !== undefined && { detail: detail ?? path }),
    ...(deadLettered !== undefined && { deadLettered }),
  };
}

const TOLD = ['source', 'error'];

function sentenceOf({ msg, ...facts }: LogLine): string {
  const told = TOLD.filter((name) => facts[name] !== undefined).map((name) => `${name} ${String(facts[name])}`);
  return [msg, ...told].join(', ');
}
