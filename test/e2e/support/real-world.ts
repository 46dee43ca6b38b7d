import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve as resolvePath } from 'node:path';
import { promisify } from 'node:util';
import { KubeConfig } from '@kubernetes/client-node';
import { expect, vi } from 'vitest';
import { ApiClient } from '../../../controller/kube/api-client.ts';
import { applyObject } from '../../../controller/kube/apply.ts';
import { MERGE_PATCH } from '../../../controller/kube/merge-patch.ts';
import type { SourceObject, SourceStatus } from '../../../controller/objects.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';
import { nodeEnv, nodeFlags } from '../../../scripts/node-flags.ts';
import { type Exchange, SimulatedGitHub } from '../../../sources/github/simulated-api.ts';
import { sharedCluster, type TestCluster } from './cluster.ts';

const root = join(import.meta.dirname, '../../..');
const run = promisify(execFile);

type Env = Readonly<Record<string, string>>;

/** The command that runs one of our programs, as its image does. */
export function nodeOf(path: string): readonly string[] {
  const flags = /\bcontroller(\/main\.ts|\.js)$/.test(path) ? nodeFlags.controller : [];
  return [process.execPath, ...flags, resolvePath(root, path)];
}

/** A process of ours, and what it logged. */
export class Part {
  log = '';
  /** When it has, and all it wrote is in the log. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;

  constructor([program = '', ...args]: readonly string[], env: Env) {
    this.#child = spawn(program, args, {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => void (this.log += text));
    this.ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill(signal);
    // A frozen one would not see it.
    this.#child.kill('SIGCONT');
    await this.ended;
  }
}

/** The cluster of the run, with a controller, an adapter and a simulated GitHub of this test's own, in a namespace of its own. */
export class RealWorld {
  /** Told of each call to GitHub before its answer is sent. */
  onExchange: (exchange: Exchange) => void = () => undefined;
  readonly github = new SimulatedGitHub({ onExchange: (exchange) => this.onExchange(exchange) });
  readonly namespace = `t${Math.random().toString(36).slice(2, 10)}`;
  /** What is run, from the root of the project. */
  programs = { adapter: 'adapter/main.ts', controller: 'controller/main.ts' };
  readonly parts: Part[] = [];
  controller!: Part;
  adapter!: Part;
  adapterUrl = '';
  api = '';
  readonly cluster: TestCluster;
  #folder = '';
  /** An administrator's, for what is asked again and again: kubectl takes a hundred times as long. */
  readonly #admin: ApiClient;
  #adapterEnv: Env = {};
  #controllerEnv: Env = {};

  constructor(cluster: TestCluster = sharedCluster()) {
    this.cluster = cluster;
    const config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    this.#admin = new ApiClient(config);
  }

  /** The namespace and GitHub, which listens at `host`, without controller and adapter. */
  async open(host?: string): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'headwater-e2e-world-'));
    this.api = await this.github.start(0, host);
    await this.kubectl('create', 'namespace', this.namespace);
  }

  /** `adapter`: false where the test has adapters of another kind. */
  async start(env: Env = {}, { adapter = true } = {}): Promise<void> {
    if (this.api === '') await this.open();
    const [port, internalPort] = await freePorts();
    this.adapterUrl = `http://127.0.0.1:${port}`;
    const tokenFile = join(this.#folder, 'adapter.token');
    await writeFile(tokenFile, await this.tokenOf('headwater-adapter'));
    this.#adapterEnv = {
      HOST: '127.0.0.1',
      PORT: String(port),
      INTERNAL_PORT: String(internalPort),
      ROUTES_NAMESPACE: 'headwater-routes',
      KUBERNETES_API_URL: this.cluster.apiUrl,
      KUBERNETES_TOKEN_FILE: tokenFile,
      KUBERNETES_CA_FILE: this.cluster.caFile,
      ALLOW_LOOPBACK_SINKS: 'true',
      SHUTDOWN_DELAY_MS: '0',
    };
    if (adapter) this.startAdapter();
    this.#controllerEnv = {
      KUBECONFIG: await this.kubeconfigOf('headwater-controller'),
      PUBLIC_URL: this.adapterUrl,
      ADAPTER_STATE_URLS: `http://127.0.0.1:${internalPort}`,
      ALLOW_LOOPBACK: 'true',
      INTERNAL_PORT: '0',
      LEASE_MS: '3000',
      LEASE_RENEW_DEADLINE_MS: '2000',
      LEASE_RETRY_MS: '300',
      ...env,
    };
    this.startController();
  }

  startAdapter(env: Env = {}): Part {
    this.adapter = new Part(nodeOf(this.programs.adapter), { ...nodeEnv, ...this.#adapterEnv, ...env });
    this.parts.push(this.adapter);
    return this.adapter;
  }

  startController(env: Env = {}): Part {
    this.controller = new Part(nodeOf(this.programs.controller), { ...nodeEnv, ...this.#controllerEnv, ...env });
    this.parts.push(this.controller);
    return this.controller;
  }

  /** Also where something cannot be deleted: a controller that stayed would lead in the files that come. */
  async stop(): Promise<void> {
    try {
      await this.kubectl('delete', 'githubsources', '--all', '-n', this.namespace, '--timeout=20s');
    } finally {
      for (const part of this.parts) await part.end();
      await this.github.stop();
      await this.#admin.close();
    }
    await this.kubectl('delete', 'namespace', this.namespace, '--wait=false');
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** A file of this test's own. */
  file(name: string): string {
    return join(this.#folder, name);
  }

  /** @throws with kubectl's words */
  async kubectl(...args: string[]): Promise<string> {
    const { stdout } = await run(this.cluster.kubectl, [`--kubeconfig=${this.cluster.kubeconfig}`, ...args], {
      env: { HOME: this.#folder },
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  }

  async tokenOf(account: string): Promise<string> {
    return (await this.kubectl('create', 'token', account, '-n', 'headwater')).trim();
  }

  /** With the ServiceAccount's own rights, never the administrator's. `server`: where the API server is to be reached. */
  async kubeconfigOf(account: string, server = this.cluster.apiUrl): Promise<string> {
    const config = JSON.parse(await this.kubectl('config', 'view', '--raw', '-o', 'json')) as {
      users: object[];
      clusters: { cluster: { server: string } }[];
    };
    for (const { cluster } of config.clusters) cluster.server = server;
    config.users = [{ name: 'user', user: { token: await this.tokenOf(account) } }];
    const file = join(this.#folder, `${account}-${new URL(server).port}.kubeconfig`);
    await writeFile(file, JSON.stringify(config));
    return file;
  }

  apply(...objects: object[]): Promise<string> {
    return this.applyIn(this.namespace, ...objects);
  }

  async applyIn(namespace: string, ...objects: object[]): Promise<string> {
    const file = join(this.#folder, 'apply.json');
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
    return this.kubectl('apply', '-n', namespace, '-f', file);
  }

  secret(data: Readonly<Record<string, string>>, name = 'github'): object {
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data };
  }

  source(spec: object = {}, name = 'hello'): object {
    return {
      apiVersion: 'sources.knative.dev/v1alpha1',
      kind: 'GitHubSource',
      metadata: { name },
      spec: {
        ownerAndRepository: 'octo/hello',
        eventTypes: ['push', 'issues'],
        accessToken: { secretKeyRef: { name: 'github', key: 'accessToken' } },
        secretToken: { secretKeyRef: { name: 'github', key: 'secretToken' } },
        githubAPIURL: this.api,
        sink: { ref: { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', name: 'default' } },
        ...spec,
      },
    };
  }

  /** A Broker, and its address as its own controller would write it; undefined: none yet. */
  async broker(url: string | undefined, name = 'default'): Promise<void> {
    const path = `/apis/eventing.knative.dev/v1/namespaces/${this.namespace}/brokers/${name}`;
    const broker = { apiVersion: 'eventing.knative.dev/v1', kind: 'Broker', metadata: { name }, spec: {} };
    await applyObject(this.#admin, path, broker, 'e2e');
    const body = { status: { address: url === undefined ? null : { url } } };
    await this.#admin.call('PATCH', `${path}/status`, { body, contentType: MERGE_PATCH });
  }

  async object(name = 'hello'): Promise<SourceObject | undefined> {
    const path = `/apis/sources.knative.dev/v1alpha1/namespaces/${this.namespace}/githubsources/${name}`;
    try {
      return await this.#admin.call<SourceObject>('GET', path);
    } catch (error) {
      if (error instanceof ApiStatusError && error.code === 404) return undefined;
      throw error;
    }
  }

  async status(name = 'hello'): Promise<SourceStatus> {
    return (await this.object(name))?.status ?? {};
  }

  /** `Ready=False CreationFailed` */
  async becomes(condition: string, name = 'hello', timeout = 30_000): Promise<SourceStatus> {
    const type = condition.split('=')[0] ?? '';
    return vi.waitFor(
      async () => {
        const status = await this.status(name);
        const found = status.conditions?.find((one) => one.type === type);
        const text = `${type}=${found?.status}${found?.reason === undefined ? '' : ` ${found.reason}`}`;
        if (text !== condition) throw new Error(`${text}: ${found?.message}\n${this.controller.log.slice(-1500)}`);
        return status;
      },
      { timeout, interval: 150 },
    );
  }

  async holds(check: () => void | Promise<void>, timeout = 30_000): Promise<void> {
    await vi.waitFor(check, { timeout, interval: 100 });
  }

  /** Secret, Broker and source as they should be. */
  async ready(sinkUrl: string, spec: object = {}): Promise<SourceStatus> {
    await this.apply(this.secret({ accessToken: 'token', secretToken: 's3cret' }), this.source(spec));
    await this.broker(sinkUrl);
    const status = await this.becomes('Ready=True');
    expect(this.github.hooks.length).toBeGreaterThan(0);
    return status;
  }
}

async function freePorts(): Promise<[number, number]> {
  const open = () =>
    new Promise<ReturnType<typeof createServer>>((resolve) => {
      const server = createServer();
      server.listen(0, '127.0.0.1', () => resolve(server));
    });
  const servers = [await open(), await open()] as const;
  const [first = 0, second = 0] = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return [first, second];
}
