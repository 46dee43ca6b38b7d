import { type Env, EnvReader } from '../core/env.ts';
import type { PortWish } from '../core/listen.ts';
import { type LogLevel, logLevels } from '../core/log.ts';
import { type Proxies, readProxies } from '../core/proxies.ts';
import type { KubeApiConfig } from './kube-api.ts';

const MEBIBYTE = 1024 * 1024;
const BYTES = { min: 1024, max: 16 * 1024 * MEBIBYTE };

/** Times are milliseconds, sizes bytes. */
export interface AdapterConfig {
  /** Address both ports bind to; undefined: all, IPv6 and IPv4. */
  readonly host: string | undefined;
  readonly port: PortWish;
  readonly internalPort: PortWish;
  readonly logLevel: LogLevel;
  /** Where there is one route alone, it is served on every path. */
  readonly anyPath: boolean;
  readonly limits: ReceiveLimits;
  readonly delivery: DeliveryLimits;
  /** Sinks are called through these. */
  readonly proxies: Proxies;
  /** How many delivery ids are remembered for one source, and for all together. */
  readonly remembered: { readonly perSource: number; readonly inAll: number };
  /** How long the process serves on after SIGTERM, not ready, while its endpoint is withdrawn. */
  readonly shutdownDelayMs: number;
}

export interface ReceiveLimits {
  readonly bodyBytes: number;
  /** Ceiling for the bytes of all bodies held at one time. */
  readonly bufferedBytes: number;
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

export interface DeliveryLimits {
  readonly allowLoopbackSinks: boolean;
  /** From arrival to reply; undefined: what the provider's own limit leaves. */
  readonly budgetMs: number | undefined;
  /** The part of the budget kept for the dead-letter sink where there is one. */
  readonly deadLetterReserveMs: number;
  /** For one attempt, where the source's `spec.delivery.timeout` says nothing. */
  readonly attemptTimeoutMs: number;
  /** At most so many connections to one sink. */
  readonly connectionsPerSink: number;
}

/** Where the adapter finds its routes: a folder of files, or the Secrets of a namespace. */
export type RoutesConfig =
  | { readonly folder: string }
  | (KubeApiConfig & {
      readonly namespace: string;
    });

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * For the adapter as a process, which finds its routes itself.
 * @throws ConfigurationError naming every problem of the environment.
 */
export function readProcessConfig(env: Env): AdapterConfig & { readonly routes: RoutesConfig } {
  const read = new EnvReader(env);
  const config = { ...readConfig(read), routes: readRoutesConfig(read) };
  read.throwIfInvalid();
  return config;
}

function readRoutesConfig(read: EnvReader): RoutesConfig {
  const namespace = read.optional('ROUTES_NAMESPACE');
  if (namespace === undefined) {
    return {
      folder: read.required('ROUTES_DIR', 'the folder of route files, <uid>.json each; or set ROUTES_NAMESPACE'),
    };
  }
  const host = read.optional('KUBERNETES_SERVICE_HOST') ?? 'kubernetes.default.svc';
  const port = read.optional('KUBERNETES_SERVICE_PORT') ?? '443';
  return {
    namespace,
    url: read.optional('KUBERNETES_API_URL') ?? `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tokenFile: read.optional('KUBERNETES_TOKEN_FILE') ?? `${SERVICE_ACCOUNT}/token`,
    caFile: read.optional('KUBERNETES_CA_FILE') ?? `${SERVICE_ACCOUNT}/ca.crt`,
  };
}

/** @throws ConfigurationError naming every problem of the environment. */
export function readAdapterConfig(env: Env): AdapterConfig {
  const read = new EnvReader(env);
  const config = readConfig(read);
  read.throwIfInvalid();
  return config;
}

function readConfig(read: EnvReader): AdapterConfig {
  return {
    host: read.optional('HOST'),
    port: read.port('PORT', 8080),
    internalPort: read.port('INTERNAL_PORT', 8090),
    logLevel: read.oneOf('LOG_LEVEL', logLevels, 'info'),
    anyPath: read.boolean('ANY_PATH', false),
    limits: readReceiveLimits(read),
    delivery: {
      allowLoopbackSinks: read.boolean('ALLOW_LOOPBACK_SINKS', false),
      budgetMs:
        read.optional('DELIVERY_BUDGET_MS') === undefined ? undefined : read.milliseconds('DELIVERY_BUDGET_MS', 0, 1),
      deadLetterReserveMs: read.milliseconds('DEAD_LETTER_RESERVE_MS', 1500),
      attemptTimeoutMs: read.milliseconds('ATTEMPT_TIMEOUT_MS', 3000, 1),
      connectionsPerSink: read.integer('CONNECTIONS_PER_SINK', 64, { min: 1, max: 4096 }),
    },
    proxies: readProxies(read),
    remembered: {
      perSource: read.integer('REMEMBERED_DELIVERIES_PER_SOURCE', 10_000, { min: 1, max: 1_000_000 }),
      inAll: read.integer('REMEMBERED_DELIVERIES', 100_000, { min: 1, max: 10_000_000 }),
    },
    shutdownDelayMs: read.milliseconds('SHUTDOWN_DELAY_MS', 5000),
  };
}

function readReceiveLimits(read: EnvReader): ReceiveLimits {
  // The largest delivery of any provider is 25 MB.
  const bodyBytes = read.integer('MAX_BODY_BYTES', 26 * MEBIBYTE, BYTES);
  const bufferedBytes = read.integer('MAX_BUFFERED_BYTES', 128 * MEBIBYTE, BYTES);
  read.require(
    bufferedBytes >= bodyBytes,
    'MAX_BUFFERED_BYTES must be at least MAX_BODY_BYTES: there would never be room for the longest body',
  );
  return {
    bodyBytes,
    bufferedBytes,
    // Node takes 0 for no limit.
    headersTimeoutMs: read.milliseconds('HEADERS_TIMEOUT_MS', 2000, 1),
    requestTimeoutMs: read.milliseconds('REQUEST_TIMEOUT_MS', 30_000),
  };
}
