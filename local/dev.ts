import { setTimeout as sleep } from 'node:timers/promises';
import { readReplica, stateIn } from '../controller/adapter-state.ts';
import { nameOf, type ObjectKind, referenceTo, type SourceStatus } from '../controller/objects.ts';
import type { SinkDeps } from '../controller/sink.ts';
import { AddressGuard, isLoopback } from '../core/address-guard.ts';
import type { Env } from '../core/env.ts';
import type { PortWish } from '../core/listen.ts';
import { checkPaths } from '../core/manifest-paths.ts';
import type { Proxies } from '../core/proxies.ts';
import { Scope } from '../core/scope.ts';
import { objectKindOf } from '../sources/crd.ts';
import { sources } from '../sources/registry.ts';
import { startBroker } from './broker.ts';
import { Commands } from './commands.ts';
import type { Report } from './dev-line.ts';
import { builtInDumper, EVENTING_KINDS, localAdviceOn, startEventing } from './eventing.ts';
import { missingIn } from './expectations.ts';
import { followFiles } from './followed-files.ts';
import { type LocalKind, localKinds } from './kinds.ts';
import { HOST, startLocalAdapter, startLocalController, type Warn } from './local-planes.ts';
import { MemoryCluster } from './memory-cluster.ts';
import { MemoryRoutes } from './memory-routes.ts';
import { ObservedObjects } from './observed-objects.ts';
import { startRememberingDumper } from './remembering-dumper.ts';
import type { SeenEventType } from './seen-event-types.ts';
import { type SimulateOptions, startSimulation } from './simulation.ts';
import { StateFolder } from './state-folder.ts';

export interface DevOptions {
  readonly paths: readonly string[];
  readonly ports: { readonly adapter: PortWish; readonly broker: PortWish; readonly dumper: PortWish };
  /** Base URL under which providers reach the adapter, through a tunnel for example. */
  readonly publicUrl: string | undefined;
  /** Of the calls to providers and to sinks. */
  readonly proxies: Proxies;
  /** Answer the providers' APIs here and send recorded deliveries; undefined: the real ones. */
  readonly simulate: SimulateOptions | undefined;
  readonly stateFolder: string;
  /** The environment of the commands that objects are annotated with; undefined: they are not run. */
  readonly run?: Env | undefined;
}

export interface Completion {
  /** A sentence each. */
  readonly missing: readonly string[];
  readonly sources: number;
  /** Played ones. */
  readonly deliveries: number;
}

export interface Dev {
  /** Resolves when nothing is missing, when the time is over, or at `stop`. */
  complete(timeoutMs: number, stop: AbortSignal): Promise<Completion>;
  /** What Brokers and Channels took so far. */
  eventTypes(): readonly SeenEventType[];
  /** How many webhooks were made and are there. */
  webhooks(): number;
  /** Removes the webhooks; resolves to the names of the sources that could not be let go in time. */
  cleanUp(timeoutMs: number): Promise<readonly string[]>;
  stop(): Promise<void>;
}

const SOURCE_KINDS: readonly ObjectKind[] = sources.map(objectKindOf);

/** Controller, adapter, brokers and dumper in one process on loopback, fed by manifest files. */
export async function startDev(options: DevOptions, report: Report): Promise<Dev> {
  const scope = new Scope();
  try {
    return await startParts(options, report, scope);
  } catch (error) {
    await scope.end();
    throw error;
  }
}

async function startParts(options: DevOptions, report: Report, scope: Scope): Promise<Dev> {
  const { ports, proxies, simulate } = options;
  await checkPaths(options.paths);
  const warn: Warn = (from, message) => report({ type: 'warning', from, message });
  const kinds = await localKinds();
  const state = new StateFolder(options.stateFolder);
  const guard = new AddressGuard({ allowLoopback: true });
  const routes = new MemoryRoutes();
  const dumper = scope.add(await startRememberingDumper(HOST, ports.dumper, report));
  const adapter = await startLocalAdapter({ port: ports.adapter, proxies }, routes, report);
  scope.add({ stop: () => adapter.stop(0) });
  const adapterUrl = `http://${HOST}:${adapter.port}`;
  const internalUrl = `http://${HOST}:${adapter.internalPort}`;
  const simulation = simulate && scope.add(await startSimulation(sources, simulate, report));
  const cluster = localCluster({ routes, kinds, internalUrl, dumperUrl: dumper.url }, report);
  const adviceOn: SinkDeps['adviceOn'] = (sink, trouble) => localAdviceOn(sink, trouble, cluster);
  const sinks = { guard, urlOfService: () => undefined, adviceOn };
  const commands = scope.add(
    new Commands({ cluster, env: options.run, report, onProblem: (message) => warn('commands', message) }),
  );
  const broker = scope.add(
    await startBroker({
      host: HOST,
      port: ports.broker,
      cluster,
      sinks,
      dumperUrl: dumper.url,
      report,
    }),
  );
  const brokerUrl = `http://${HOST}:${broker.port}`;
  sayUrls(
    {
      adapter: adapterUrl,
      broker: `${brokerUrl}/<namespace>/<name>`,
      dumper: dumper.url,
      simulator: simulation?.urls[0],
      state: `${internalUrl}/state`,
    },
    report,
  );

  const observed = scope.add(new ObservedObjects(cluster, SOURCE_KINDS, report));
  observed.watch([...SOURCE_KINDS, ...EVENTING_KINDS]);
  startEventing({
    cluster,
    brokerUrl,
    dumperUrl: dumper.url,
    sinks,
    now: () => new Date(),
    commands,
    onProblem: (message) => warn('eventing', message),
  });
  const files = scope.add(
    await followFiles({ ...options, sources: SOURCE_KINDS }, { kinds, cluster, state, brokerUrl, report, warn }),
  );
  commands.start((reference) => files.fileOf(reference));
  const publicUrlFor = (api: string | undefined) =>
    options.publicUrl ?? (api === undefined || simulate || isLoopback(api) ? adapterUrl : undefined);
  const definitions = simulation?.definitions ?? sources;
  scope.add(startLocalController({ cluster, definitions, sinks, proxies, publicUrlFor, warn }));

  const sourcesIn = () => SOURCE_KINDS.flatMap((kind) => cluster.all(kind));
  const missing = () =>
    missingIn({
      faulty: files.faulty(),
      sources: sourcesIn(),
      played: simulation?.deliveries(),
      received: dumper.received,
    });
  return {
    complete: async (timeoutMs, signal) => {
      const found = await untilNothing(missing, timeoutMs, signal);
      // The adapter says of a delivery what it said to the provider a moment later.
      await sleep(LOOK_MS);
      observed.flush();
      return { missing: found, sources: sourcesIn().length, deliveries: simulation?.deliveries().length ?? 0 };
    },
    eventTypes: () => broker.eventTypes(),
    webhooks: () => {
      const statuses = sourcesIn().map(({ status }): SourceStatus => status ?? {});
      return statuses.flatMap(({ hooks = [] }) => hooks).length;
    },
    cleanUp: async (timeoutMs) => {
      await files.stop();
      files.deleteSources();
      return untilNothing(() => sourcesIn().map((source) => nameOf(referenceTo(source))), timeoutMs, NEVER);
    },
    stop: () => scope.end(),
  };
}

interface ClusterParts {
  readonly routes: MemoryRoutes;
  readonly kinds: readonly LocalKind[];
  readonly internalUrl: string;
  readonly dumperUrl: string;
}

function localCluster({ routes, kinds, internalUrl, dumperUrl }: ClusterParts, report: Report): MemoryCluster {
  return new MemoryCluster({
    routes,
    builtIn: (reference) => builtInDumper(reference, dumperUrl),
    knows: ({ apiVersion, kind }) => kinds.some((known) => known.apiVersion === apiVersion && known.kind === kind),
    adapterStates: async (uid) => [stateIn(await readReplica(internalUrl, [uid]), uid)].flatMap((state) => state ?? []),
    onAnnouncement: (source, { type, reason, message, condition }) => {
      const object = nameOf(referenceTo(source));
      // A change of a condition is said as such.
      if (condition === undefined)
        report({ type: 'announcement', object, warning: type === 'Warning', reason, message });
    },
    onOrphan: (source, { repository, id }) => {
      const message = `webhook ${id} of ${repository} is left behind at the provider: remove it there`;
      report({ type: 'warning', from: nameOf(referenceTo(source)), message });
    },
  });
}

function sayUrls(urls: Readonly<Record<string, string | undefined>>, report: Report): void {
  for (const [what, url] of Object.entries(urls)) if (url !== undefined) report({ type: 'started', what, url });
}

const LOOK_MS = 50;
const NEVER = new AbortController().signal;

/** Looks again and again until nothing is found, or the time is over; resolves to what was found last. */
async function untilNothing(
  look: () => readonly string[],
  timeoutMs: number,
  stop: AbortSignal,
): Promise<readonly string[]> {
  const over = AbortSignal.any([AbortSignal.timeout(timeoutMs), stop]);
  for (;;) {
    const found = look();
    if (found.length === 0 || over.aborted) return found;
    await sleep(LOOK_MS);
  }
}
