import { type Env, EnvReader } from '../core/env.ts';
import { type LogLevel, logLevels } from '../core/log.ts';
import { type Proxies, proxyVariables, readProxies } from '../core/proxies.ts';
import { type AdapterMode, adapterModes } from './adapter-mode.ts';
import type { LeaseTimings } from './kube/lease.ts';
import { type DedicatedSettings, RESERVED_SETTINGS } from './resources/adapter-pod.ts';

/** Times are milliseconds. */
export interface ControllerConfig {
  /** Where route Secrets are; it holds nothing else. */
  readonly routesNamespace: string;
  /** Where the controller itself is: its Lease, and ConfigMap `headwater-orphaned-hooks`. */
  readonly systemNamespace: string;
  /** Of the sources that are served; empty: all. */
  readonly watchNamespaces: readonly string[];
  /** Where the Leases of the controllers are that served the kinds before. */
  readonly upstreamNamespace: string;
  /** Base URL of the shared adapter, as providers reach it. */
  readonly publicUrl: string | undefined;
  /** Internal URLs of the adapter's replicas, where their pods are out of reach; empty: EndpointSlices tell. */
  readonly adapterStateUrls: readonly string[];
  /** The adapter's Service in `systemNamespace`, whose EndpointSlices these are. */
  readonly adapterService: string;
  /** The Knative Service in `systemNamespace` that the adapter may be instead. */
  readonly adapterKnativeService: string;
  /** How adapters of single sources are made; undefined: there are none. */
  readonly dedicated: DedicatedSettings | undefined;
  /** Of sources that do not say. */
  readonly adapterMode: AdapterMode;
  /** How long the adapter that served a source before serves on, when its webhook points at another. */
  readonly moveOverlapMs: number;
  readonly allowLoopback: boolean;
  /** The providers' APIs are called through these; the Kubernetes API and the adapters never. */
  readonly proxies: Proxies;
  /** Whether a source may name a sink of another namespace. */
  readonly allowCrossNamespaceSinks: boolean;
  readonly hookCheckMs: number;
  /** How long an address that is found must have been gone, or another, before webhooks follow. */
  readonly addressSettleMs: number;
  /** How many webhooks are moved in a minute, when the public address changed. */
  readonly hookMovesPerMinute: number;
  readonly secretOverlapMs: number;
  readonly abandonHookMs: number;
  /** How often routes of sources that are gone are looked for. */
  readonly sweepMs: number;
  /** When a source that may not be written is tried again. */
  readonly refusedWriteMs: number;
  /** Of probes and metrics. */
  readonly internalPort: number;
  readonly workers: number;
  readonly identity: string;
  readonly lease: LeaseTimings;
  readonly logLevel: LogLevel;
}

const HOUR_MS = 3_600_000;

/**
 * `identity`: tells this process from its rivals where the environment does not.
 * @throws ConfigurationError naming every problem of the environment.
 */
export function readControllerConfig(env: Env, identity: string): ControllerConfig {
  const read = new EnvReader(env);
  const config: ControllerConfig = {
    routesNamespace: read.optional('ROUTES_NAMESPACE') ?? 'headwater-routes',
    systemNamespace: read.optional('SYSTEM_NAMESPACE') ?? 'headwater',
    watchNamespaces: read.names('WATCH_NAMESPACES'),
    upstreamNamespace: read.optional('UPSTREAM_NAMESPACE') ?? 'knative-sources',
    publicUrl: read.url('PUBLIC_URL'),
    adapterStateUrls: read.urls('ADAPTER_STATE_URLS'),
    adapterService: read.optional('ADAPTER_SERVICE') ?? 'headwater-adapter',
    adapterKnativeService: read.optional('ADAPTER_KNATIVE_SERVICE') ?? 'headwater-hooks',
    dedicated: readDedicated(read),
    adapterMode: read.oneOf('ADAPTER_MODE', adapterModes, 'shared'),
    moveOverlapMs: read.milliseconds('ADAPTER_MOVE_OVERLAP_MS', 60_000),
    allowLoopback: read.boolean('ALLOW_LOOPBACK', false),
    proxies: readProxies(read),
    allowCrossNamespaceSinks: read.boolean('ALLOW_CROSS_NAMESPACE_SINKS', true),
    hookCheckMs: read.milliseconds('HOOK_CHECK_MS', 600_000),
    addressSettleMs: read.milliseconds('ADDRESS_SETTLE_MS', 5000),
    hookMovesPerMinute: read.integer('HOOK_MOVES_PER_MINUTE', 60, { min: 1, max: 6000 }),
    secretOverlapMs: read.milliseconds('SECRET_OVERLAP_MS', HOUR_MS),
    abandonHookMs: read.milliseconds('ABANDON_HOOK_MS', HOUR_MS),
    sweepMs: read.milliseconds('ROUTE_SWEEP_MS', 600_000, 1),
    refusedWriteMs: read.milliseconds('REFUSED_WRITE_RETRY_MS', 60_000, 1),
    internalPort: read.port('INTERNAL_PORT', 8090),
    workers: read.integer('WORKERS', 32, { min: 1, max: 256 }),
    identity: read.optional('POD_NAME') ?? identity,
    lease: {
      leaseMs: read.milliseconds('LEASE_MS', 15_000),
      renewDeadlineMs: read.milliseconds('LEASE_RENEW_DEADLINE_MS', 10_000),
      retryMs: read.milliseconds('LEASE_RETRY_MS', 2000),
    },
    logLevel: read.oneOf('LOG_LEVEL', logLevels, 'info'),
  };
  const { leaseMs, renewDeadlineMs, retryMs } = config.lease;
  read.require(
    leaseMs > renewDeadlineMs && renewDeadlineMs > retryMs && retryMs > 0,
    'LEASE_MS must be more than LEASE_RENEW_DEADLINE_MS, and that more than LEASE_RETRY_MS',
  );
  const isPossible = config.dedicated !== undefined || config.adapterMode === 'shared';
  read.require(isPossible, 'ADAPTER_MODE can be dedicated only with ADAPTER_IMAGE, the image of their adapters');
  read.throwIfInvalid();
  return config;
}

function readDedicated(read: EnvReader): DedicatedSettings | undefined {
  const image = read.optional('ADAPTER_IMAGE');
  const pairs = read.pairs('ADAPTER_ENV');
  const reserved = Object.keys(pairs).filter((name) => RESERVED_SETTINGS.has(name));
  read.require(
    reserved.length === 0,
    `ADAPTER_ENV must not name ${reserved.join(', ')}: the pods are made for their own`,
  );
  return image === undefined ? undefined : { image, env: { ...inheritedProxies(read, pairs), ...pairs } };
}

/** The proxies of the controller, which `ADAPTER_ENV` could not say: NO_PROXY has commas. It may say others. */
function inheritedProxies(read: EnvReader, own: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const said = new Set(Object.keys(own).map((name) => name.toUpperCase()));
  return Object.fromEntries(Object.entries(proxyVariables(read)).filter(([name]) => !said.has(name)));
}
