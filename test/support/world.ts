import { readFile } from 'node:fs/promises';
import pino from 'pino';
import { expect, vi } from 'vitest';
import { parse } from 'yaml';
import { AccessTokens } from '../../controller/access-tokens.ts';
import { AdapterMoves } from '../../controller/adapter-moves.ts';
import { Census } from '../../controller/census.ts';
import type { AdapterState, Announcement } from '../../controller/cluster.ts';
import { type Controller, type ControllerOptions, startController } from '../../controller/controller.ts';
import { FirstLooks } from '../../controller/first-looks.ts';
import { HookMoves } from '../../controller/hook-moves.ts';
import type { HookRecord, ObjectReference, SourceObject, SourceStatus } from '../../controller/objects.ts';
import { NO_SERVICES, OldServices } from '../../controller/old-services.ts';
import { FollowedAddresses } from '../../controller/public-addresses.ts';
import { RefusedWrites } from '../../controller/refused-writes.ts';
import { clusterUrlOf } from '../../controller/sink.ts';
import { NO_UPSTREAM } from '../../controller/upstream.ts';
import { AddressGuard } from '../../core/address-guard.ts';
import { NO_PROXIES } from '../../core/proxies.ts';
import type { AuthenticDelivery, Route } from '../../core/route.ts';
import { type SchemaNode, validatorOf } from '../../core/schema.ts';
import { MemoryCluster } from '../../local/memory-cluster.ts';
import { MemoryRoutes } from '../../local/memory-routes.ts';
import { SimulatedGitHub } from '../../sources/github/simulated-api.ts';
import { definitionOf, sources } from '../../sources/registry.ts';
import { MemoryChildren } from './memory-children.ts';
import { TokenIssuer } from './token-issuer.ts';

const GITHUB_SOURCE = { apiVersion: 'sources.knative.dev/v1alpha1', kind: 'GitHubSource' };
const BROKER = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker' };
export const PUBLIC_URL = 'https://hooks.example.com';
/** Of a route that is published when the clock stands as it does in the beginning. */
export const FIRST_GENERATION = Date.parse('2026-01-01T00:00:00Z') / 1000 + 1;
export const UID = '11111111-1111-4111-8111-111111111111';
const KNOWN = ['Secret', 'Service', 'Deployment', 'Broker', 'GitHubSource', 'Ingress', 'HTTPRoute', 'Gateway'];

export type Options = Partial<Omit<ControllerOptions, 'cluster' | 'sources' | 'tokens'>>;

const crd = parse(
  await readFile(new URL('../../crds/githubsources.sources.knative.dev.yaml', import.meta.url), 'utf8'),
) as {
  spec: { versions: { schema: { openAPIV3Schema: { properties: { status: SchemaNode } } } }[] };
};
const faultsOfStatus = validatorOf(crd.spec.versions[0]?.schema.openAPIV3Schema.properties.status ?? {});

/** A cluster in memory with the controller at work, and a simulated GitHub: what a scenario plays in. */
export class World {
  readonly github = new SimulatedGitHub();
  readonly announcements: Announcement[] = [];
  readonly orphans: HookRecord[] = [];
  readonly errors: object[] = [];
  /** Admission webhooks, one for each write they refused. */
  readonly refusals: string[] = [];
  readonly routes = new MemoryRoutes();
  readonly cluster: MemoryCluster;
  readonly children: MemoryChildren;
  readonly tokens = new TokenIssuer();
  /** What adapters serve, by uid, where it is not what is published; `null`: no adapter is ready; `broken`: nobody knows. */
  served: Map<string, Route | undefined> | 'broken' | null | undefined;
  lastAuthentic: AuthenticDelivery | undefined;
  /** What other replicas say. */
  others: readonly AdapterState[] = [];
  now = new Date('2026-01-01T00:00:00Z');
  api = '';
  readonly #kinds = new Set(KNOWN);
  #controller: Controller | undefined;

  constructor() {
    this.cluster = new MemoryCluster({
      routes: this.routes,
      knows: (kind) => this.#kinds.has(kind.kind) && this.children.isInstalled(kind),
      adapterStates: async (uid) => {
        if (this.served === 'broken') throw new Error('the adapters cannot be asked');
        if (this.served === null) return [];
        const route = this.served === undefined ? this.routes.get(uid) : this.served.get(uid);
        return [{ generation: route?.generation, lastAuthentic: this.lastAuthentic }, ...this.others];
      },
      onAnnouncement: (_source, announcement) => void this.announcements.push(announcement),
      onOrphan: (_source, hook) => void this.orphans.push(hook),
      now: () => this.now,
    });
    this.children = new MemoryChildren(this.cluster);
    this.cluster.requestToken = (_source, audience) => this.tokens.request(audience, this.now);
  }

  /** Before `spec` names the API. */
  async open(): Promise<void> {
    this.api ||= await this.github.start();
  }

  async start(options: Options = {}): Promise<void> {
    await this.open();
    const log = pino({}, { write: (line) => void this.errors.push(JSON.parse(line) as object) });
    this.#controller = startController({
      cluster: this.cluster,
      sources,
      definitionOf,
      upstream: NO_UPSTREAM,
      oldServices: new OldServices(NO_SERVICES),
      refusedWrites: new RefusedWrites({
        retryMs: 50,
        now: () => this.now,
        onRefused: (_source, { webhook }) => void this.refusals.push(webhook),
      }),
      tokens: new AccessTokens(),
      firstLooks: new FirstLooks(0),
      census: new Census(),
      guard: new AddressGuard({ allowLoopback: true }),
      proxies: NO_PROXIES,
      urlOfService: clusterUrlOf,
      children: this.children,
      addresses: new FollowedAddresses({
        cluster: this.cluster,
        shared: { namespace: 'headwater', name: 'headwater-adapter' },
        sharedKnativeService: { namespace: 'headwater', name: 'headwater-hooks' },
        hasDedicated: true,
        namespaces: [],
        onChange: (service) => this.#controller?.addressChanged(service),
        settleMs: 20,
        firstWaitMs: 1000,
      }),
      moves: new AdapterMoves(0),
      hookMoves: new HookMoves(60, this.now),
      adapter: {
        dedicated: 'refused',
        defaultMode: 'shared',
        publicUrlFor: () => PUBLIC_URL,
        publicUrlAdvice: 'set PUBLIC_URL',
      },
      now: () => this.now,
      secretOverlapMs: 3_600_000,
      abandonHookMs: 3_600_000,
      hookCheckMs: 600_000,
      firstDeliveryPoll: { leastMs: 5, longestMs: 5 },
      queue: { workers: 2, firstDelayMs: 5, longestDelayMs: 20, unchangedMs: 600_000 },
      log,
      ...options,
    });
  }

  /** A kind is installed that was not there. */
  install(kind: { readonly apiVersion: string; readonly kind: string }): void {
    this.#kinds.add(kind.kind);
    this.#controller?.kindCame(kind);
  }

  /** The cluster says that so many adapters are ready now. */
  adaptersChanged(ready: number): void {
    this.#controller?.adaptersChanged(ready);
  }

  /** The controller is gone, and comes back with nothing in memory; `meanwhile`: what happens in between. */
  async restart(options: Options = {}, meanwhile: () => void = () => undefined): Promise<void> {
    await this.#controller?.stop();
    meanwhile();
    await this.start(options);
  }

  /** For `afterEach`: nothing went wrong unseen, and the API server would have dropped nothing of what was written. */
  async end(): Promise<void> {
    await this.#controller?.stop();
    await this.github.stop();
    expect(this.errors).toEqual([]);
    for (const { status } of this.cluster.all(GITHUB_SOURCE)) expect(faultsOfStatus(status ?? {})).toEqual([]);
  }

  secret(data: Readonly<Record<string, string>>, name = 'github'): void {
    const values = new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value)]));
    this.cluster.apply({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'demo', uid: name },
      data: values,
    });
  }

  broker(url: string | undefined, name = 'default'): void {
    const metadata = { name, namespace: 'demo', uid: name };
    this.cluster.apply({ ...BROKER, metadata, spec: {} });
    this.cluster.setStatus({ ...BROKER, ...metadata }, url === undefined ? {} : { address: { url } });
  }

  source(
    spec: object = {},
    {
      name = 'hello',
      uid = UID,
      annotations,
    }: { name?: string; uid?: string; annotations?: Record<string, string> } = {},
  ): void {
    const given = JSON.parse(JSON.stringify({ ...this.spec, ...spec })) as object;
    this.cluster.apply({ ...GITHUB_SOURCE, metadata: { name, namespace: 'demo', uid, annotations }, spec: given });
  }

  get spec() {
    return {
      ownerAndRepository: 'octo/hello',
      eventTypes: ['push', 'issues'],
      accessToken: { secretKeyRef: { name: 'github', key: 'accessToken' } },
      secretToken: { secretKeyRef: { name: 'github', key: 'secretToken' } },
      githubAPIURL: `${this.api}/`,
      sink: { ref: { ...BROKER, name: 'default' } },
    };
  }

  /** Secret, broker and source as they should be. */
  async startReady(spec: object = {}, options: Options = {}): Promise<void> {
    await this.start(options);
    this.secret({ accessToken: 'token', secretToken: 's3cret' });
    this.broker('http://broker.example.com/demo/default');
    this.source(spec);
    await this.becomes('Ready=True');
  }

  reference(name = 'hello'): ObjectReference {
    return { ...GITHUB_SOURCE, namespace: 'demo', name };
  }

  object(name = 'hello'): SourceObject | undefined {
    return this.cluster.find(this.reference(name)) as SourceObject | undefined;
  }

  status(name = 'hello'): SourceStatus {
    return this.object(name)?.status ?? {};
  }

  /** `Ready=False CreationFailed` */
  condition(type: string, name = 'hello'): string {
    const found = this.status(name).conditions?.find((condition) => condition.type === type);
    return `${type}=${found?.status}${found?.reason === undefined ? '' : ` ${found.reason}`}`;
  }

  message(type: string, name = 'hello'): string {
    return this.status(name).conditions?.find((condition) => condition.type === type)?.message ?? '';
  }

  async becomes(condition: string, name = 'hello'): Promise<void> {
    const type = condition.split('=')[0] ?? '';
    await this.holds(() => {
      if (this.condition(type, name) !== condition)
        throw new Error(`${this.condition(type, name)}: ${this.message(type, name)}`);
    });
  }

  async isGone(name = 'hello'): Promise<void> {
    await this.holds(() => {
      if (this.object(name)) throw new Error(`${name} is still there: ${this.message('Ready', name)}`);
    });
  }

  async holds(check: () => void | Promise<void>): Promise<void> {
    await vi.waitFor(check, { timeout: 5000, interval: 5 });
  }

  /** Lets ten minutes pass in which nothing should happen: a look at a source, as the clock of the controller brings it. */
  async lookAgain(name = 'hello'): Promise<void> {
    this.now = new Date(this.now.getTime() + 600_000);
    const calls = this.github.calls.length;
    const before = this.object(name)?.metadata.annotations ?? {};
    this.cluster.apply({
      ...GITHUB_SOURCE,
      metadata: {
        name,
        namespace: 'demo',
        uid: this.object(name)?.metadata.uid ?? UID,
        annotations: { ...before, look: String(calls) },
      },
      spec: this.object(name)?.spec,
    });
    await this.holds(() => {
      if (this.github.calls.length === calls) throw new Error('nobody asked GitHub');
    });
  }
}
