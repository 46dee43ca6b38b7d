import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { KubeConfig } from '@kubernetes/client-node';
import { AddressGuard } from '../core/address-guard.ts';
import type { Env } from '../core/env.ts';
import { messageOf } from '../core/errors.ts';
import { listen } from '../core/listen.ts';
import { createLog, type Log } from '../core/log.ts';
import { runUntilStopped } from '../core/process.ts';
import { Scope } from '../core/scope.ts';
import { objectKindOf } from '../sources/crd.ts';
import { definitionOf, sources } from '../sources/registry.ts';
import { AccessTokens } from './access-tokens.ts';
import { AdapterMoves } from './adapter-moves.ts';
import { adapterReplicas } from './adapter-replicas.ts';
import { type ControllerConfig, readControllerConfig } from './config.ts';
import { startController } from './controller.ts';
import { FirstLooks } from './first-looks.ts';
import { HookMoves } from './hook-moves.ts';
import { buildInternalServer } from './internal-server.ts';
import { ApiClient } from './kube/api-client.ts';
import { Definitions } from './kube/definitions.ts';
import { FollowedLeases } from './kube/followed-leases.ts';
import { KnativeServices } from './kube/knative-services.ts';
import { KubeChildren } from './kube/kube-children.ts';
import { KubeCluster } from './kube/kube-cluster.ts';
import { Lease } from './kube/lease.ts';
import { OrphanedHooks } from './kube/orphaned-hooks.ts';
import { Resources } from './kube/resources.ts';
import { ControllerMetrics } from './metrics.ts';
import { keyOf, referenceTo } from './objects.ts';
import { OldServices } from './old-services.ts';
import type { ServiceName } from './public-address/way.ts';
import { FollowedAddresses } from './public-addresses.ts';
import { RefusedWrites } from './refused-writes.ts';
import { HOOKS_SERVICE_PORT } from './resources/adapter-deployment.ts';
import { clusterUrlOf } from './sink.ts';
import { sweepRoutes } from './sweep.ts';
import type { Upstream } from './upstream.ts';
import { UpstreamLeases } from './upstream-leases.ts';

const FINISH_MS = 10_000;
/** Knative's controllers renew a Lease of 15 s every 2 s. */
const UPSTREAM_LOOK_MS = 2000;
/** How long sources wait for a server that did not say what makes adapters public. */
const FIRST_ADDRESS_MS = 5000;

/** The controller as a process: configured by `env`, stopped by signals. Resolves to the exit code. */
export async function runController(env: Env, reportProblem: (text: string) => void): Promise<number> {
  try {
    const config = readControllerConfig(env, `${hostname()}-${randomUUID().slice(0, 8)}`);
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromDefault();
    const { log, flush } = createLog(config.logLevel);
    // A process that may lose its Lease leaves at once: what it still wrote could undo what the next leader writes.
    const onLost = () => {
      log.fatal('lease lost');
      flush();
      process.exit(1);
    };
    const start = () => startLeading(config, { kubeConfig, log, onLost });
    return await runUntilStopped(start, { log, flush, shutdownDelayMs: 0, finishMs: FINISH_MS });
  } catch (error) {
    reportProblem(messageOf(error));
    return 1;
  }
}

interface Surroundings {
  readonly kubeConfig: KubeConfig;
  readonly log: Log;
  readonly onLost: () => void;
}

/** Waits for the Lease in the background, and controls while it has it. */
async function startLeading(config: ControllerConfig, { kubeConfig, log, onLost }: Surroundings) {
  const scope = new Scope();
  const metrics = new ControllerMetrics(sources.map(({ kind }) => kind));
  const internal = buildInternalServer(metrics);
  scope.add({ stop: () => internal.close() });
  const port = await listen(internal, { host: undefined, port: config.internalPort, setting: 'INTERNAL_PORT' });
  log.info({ port, proxies: config.proxies.origins }, 'listening');
  const api = new ApiClient(kubeConfig, (...answer) => metrics.requested(...answer));
  scope.add({ stop: () => api.close() });
  // Also while another process leads: who takes over from it knows at once.
  const upstream = new UpstreamLeases(sources);
  const followed = new FollowedLeases({
    api,
    namespace: config.upstreamNamespace,
    everyMs: UPSTREAM_LOOK_MS,
    onLook: (leases) => upstream.look(leases, performance.now()),
    log,
  });
  followed.start();
  scope.add(followed);
  const lease = new Lease({
    api,
    namespace: config.systemNamespace,
    name: 'headwater-controller',
    identity: config.identity,
    timings: config.lease,
    log,
  });
  const stopLeading = () => {
    metrics.leads(false);
    return lease.release();
  };
  scope.add({ stop: stopLeading });
  const lead = async () => {
    if (!(await lease.acquire(onLost))) return;
    metrics.leads(true);
    scope.add(startControlling(config, { api, upstream, metrics, log }));
  };
  lead().catch((error: unknown) => {
    log.fatal({ error: messageOf(error) }, 'cannot control');
    onLost();
  });
  return { stop: () => scope.end() };
}

interface Controlling {
  readonly api: ApiClient;
  readonly upstream: Upstream;
  readonly metrics: ControllerMetrics;
  readonly log: Log;
}

function startControlling(config: ControllerConfig, { api, upstream, metrics, log }: Controlling) {
  const now = () => new Date();
  const replicas = adapterReplicas(config, { api, log }, (ready) => controller.adaptersChanged(ready));
  const resources = new Resources(api);
  const { systemNamespace } = config;
  const onCount = (count: number) => metrics.sources.orphaned(count);
  const orphans = new OrphanedHooks({ api, systemNamespace, onCount, log });
  const cluster = new KubeCluster({
    api,
    resources,
    namespaces: config.watchNamespaces,
    routesNamespace: config.routesNamespace,
    systemNamespace,
    orphans,
    adapterStates: (uid) => replicas.statesOf(uid),
    now,
    log,
    onWatchFailure: () => metrics.watchFailed(),
    onKind: (kind) => controller.kindCame(kind),
  });
  const definitions = new Definitions({ api, onChange: (group) => cluster.definitionsChanged(group), log });
  const controller = startController({
    cluster,
    sources,
    definitionOf,
    upstream,
    oldServices: new OldServices(new KnativeServices(api, resources)),
    refusedWrites: refusedWrites(config, metrics, log),
    tokens: new AccessTokens(),
    firstLooks: new FirstLooks(config.hookCheckMs),
    census: metrics.sources.census,
    guard: new AddressGuard({ allowLoopback: config.allowLoopback }),
    proxies: config.proxies,
    urlOfService: clusterUrlOf,
    refuseCrossNamespace: !config.allowCrossNamespaceSinks,
    adapter: {
      dedicated: config.dedicated ?? 'refused',
      defaultMode: config.adapterMode,
      publicUrlFor: () => config.publicUrl,
      publicUrlAdvice: `set PUBLIC_URL of the controller, or make an HTTPRoute or an Ingress with port ${HOOKS_SERVICE_PORT.port} of Service ${config.systemNamespace}/${config.adapterService} as its backend`,
    },
    addresses: followedAddresses(config, cluster, (service) => controller.addressChanged(service)),
    children: new KubeChildren(api, resources),
    moves: new AdapterMoves(config.moveOverlapMs),
    hookMoves: new HookMoves(config.hookMovesPerMinute, now()),
    now,
    secretOverlapMs: config.secretOverlapMs,
    abandonHookMs: config.abandonHookMs,
    hookCheckMs: config.hookCheckMs,
    firstDeliveryPoll: { leastMs: 1000, longestMs: 30_000 },
    queue: {
      workers: config.workers,
      firstDelayMs: 200,
      longestDelayMs: 300_000,
      unchangedMs: 300_000,
      observer: metrics.queue,
    },
    onReconciled: (...look) => metrics.reconciled(...look),
    onProviderCall: (kind, call) => metrics.provider.called(kind, call),
    log,
  });
  replicas.start();
  definitions.start();
  void orphans.count();
  const sweeping = startSweeping({ cluster, orphans }, config, log);
  return {
    stop: async () => {
      clearInterval(sweeping);
      await Promise.all([controller.stop(), replicas.stop(), definitions.stop()]);
      await cluster.stop();
    },
  };
}

function followedAddresses(config: ControllerConfig, cluster: KubeCluster, onChange: (service: ServiceName) => void) {
  const inSystem = (name: string): ServiceName => ({ namespace: config.systemNamespace, name });
  return new FollowedAddresses({
    cluster,
    shared: inSystem(config.adapterService),
    sharedKnativeService: config.publicUrl === undefined ? inSystem(config.adapterKnativeService) : undefined,
    hasDedicated: config.dedicated !== undefined,
    namespaces: config.watchNamespaces,
    onChange,
    settleMs: config.addressSettleMs,
    firstWaitMs: FIRST_ADDRESS_MS,
  });
}

function refusedWrites({ refusedWriteMs }: ControllerConfig, metrics: ControllerMetrics, log: Log): RefusedWrites {
  return new RefusedWrites({
    retryMs: refusedWriteMs,
    now: () => new Date(),
    onRefused: (source, { webhook, message }) => {
      metrics.writeRefused(webhook);
      log.warn({ source: keyOf(referenceTo(source)), webhook, error: message }, 'write refused; tried again');
    },
  });
}

function startSweeping(
  { cluster, orphans }: { readonly cluster: KubeCluster; readonly orphans: OrphanedHooks },
  { sweepMs }: ControllerConfig,
  log: Log,
): NodeJS.Timeout {
  const kinds = sources.map(objectKindOf);
  const sweep = async () => {
    await orphans.count();
    try {
      for (const { uid, namespace, name } of await sweepRoutes({ cluster, kinds }))
        log.warn({ uid, source: `${namespace}/${name}` }, 'route of a source that is gone removed');
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'routes not swept; tried again');
    }
  };
  return setInterval(() => void sweep(), sweepMs);
}
