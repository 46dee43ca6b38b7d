import { appendFile, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient } from '../../../controller/kube/api-client.ts';
import { ApiStatusError } from '../../../core/list-watch.ts';
import type { TestCluster } from './cluster.ts';
import { serveLogs } from './kubelet-logs.ts';
import type { PodNetwork } from './pod-network.ts';
import { startContainer, tokenFileIn } from './pod-process.ts';
import type { Container, Pod } from './pod-spec.ts';
import { ProbedPod } from './probed-pod.ts';
import { nodeOf, Part } from './real-world.ts';

interface Service {
  readonly spec: { readonly clusterIP: string; readonly ports: readonly { readonly port: number }[] };
}

/** A node's kubelet as far as the adapter's pods need one. It starts the pods it is told to; the others stay as they are. */
export class Kubelet {
  readonly #api: ApiClient;
  readonly #network: PodNetwork;
  /** What runs in place of an image, or of a program named by the pod's command. */
  readonly #programs: Readonly<Record<string, string>>;
  readonly #node = `node-${Math.random().toString(36).slice(2, 10)}`;
  readonly #stops: (() => Promise<unknown>)[] = [];
  /** Who writes the log of a pod. */
  readonly #logs = new Map<string, Part>();
  #folder = '';
  #kubernetes = { host: '', port: 0 };

  private constructor(api: ApiClient, network: PodNetwork, programs: Readonly<Record<string, string>>) {
    this.#api = api;
    this.#network = network;
    this.#programs = programs;
  }

  static async start(
    cluster: TestCluster,
    network: PodNetwork,
    programs: Readonly<Record<string, string>>,
  ): Promise<Kubelet> {
    const config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig);
    const kubelet = new Kubelet(new ApiClient(config), network, programs);
    try {
      await kubelet.#open(cluster);
      return kubelet;
    } catch (error) {
      await kubelet.stop();
      throw error;
    }
  }

  async pods(namespace: string, label: string): Promise<readonly Pod[]> {
    const pods = await this.allPods(namespace, label);
    return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  }

  /** Also those that are being deleted. */
  async allPods(namespace: string, labelSelector?: string): Promise<readonly Pod[]> {
    const path = `/api/v1/namespaces/${namespace}/pods`;
    return (await this.#api.call<{ items: Pod[] }>('GET', path, { query: { labelSelector } })).items;
  }

  /** Takes the pod to this node, and starts it. Whether it is ready, its probes tell from then on. */
  async run(pod: Pod): Promise<ProbedPod> {
    const [container] = pod.spec.containers;
    if (!container) throw new Error('the pod has no container');
    const { name, namespace } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    const target = { apiVersion: 'v1', kind: 'Node', name: this.#node };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target };
    await this.#api.call('POST', `${path}/binding`, { body });
    const network = await this.#network.join(this.#kubernetes.host);
    const part = await this.#startProcesses({ ...pod, status: { podIP: network.address } }, container, network);
    const tokenFile = tokenFileIn(this.#folderOf(pod), pod);
    const { address } = network;
    const probed = new ProbedPod({ api: this.#api, name, path, tokenFile, container, process: part, address });
    this.#stops.push(() => probed.stop());
    await probed.start();
    return probed;
  }

  /** Whether the pod, or its namespace, is gone or going. */
  async isLeaving({ metadata: { namespace, name } }: Pod): Promise<boolean> {
    const place = `/api/v1/namespaces/${namespace}`;
    const paths = [place, `${place}/pods/${name}`];
    const found = await Promise.all(
      paths.map((path) => unlessGone(this.#api.call<Pick<Pod, 'metadata'>>('GET', path))),
    );
    return found.some((object) => object === undefined || object.metadata.deletionTimestamp !== undefined);
  }

  /** Lets go of a pod that is being deleted and does not run. */
  async release({ metadata: { namespace, name } }: Pod): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
    await unlessGone(this.#api.call('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`, { body }));
  }

  /** Ends all it started, the newest first. */
  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).toReversed()) await stop();
    await this.#api.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startProcesses(pod: Pod, container: Container, network: { name: string; address: string }): Promise<Part> {
    const name = container.command?.[1] ?? container.image;
    const program = this.#programs[name];
    if (program === undefined) throw new Error(`there is no ${name}`);
    const { host, port } = this.#kubernetes;
    const command = [...nodeOf('test/e2e/support/service-proxy.ts'), host, String(port), this.#socket];
    const proxy = new Part(['ip', 'netns', 'exec', network.name, ...command], {});
    this.#stops.push(() => proxy.end());
    const around = {
      api: this.#api,
      folder: this.#folderOf(pod),
      network,
      kubernetes: this.#kubernetes,
      hosts: this.#hosts,
      command: [...nodeOf(program), ...(container.args ?? [])],
    };
    const part = await startContainer(pod, container, around);
    this.#logs.set(`${pod.metadata.namespace}/${pod.metadata.name}`, part);
    this.#stops.push(() => part.end('SIGKILL'));
    return part;
  }

  #folderOf({ metadata }: Pod): string {
    return join(this.#folder, metadata.uid);
  }

  /** Has pods find an address by a name, from now on. */
  resolve(name: string, address: string): Promise<void> {
    return appendFile(this.#hosts, `${address} ${name}\n`);
  }

  get #hosts(): string {
    return join(this.#folder, 'hosts');
  }

  get #socket(): string {
    return join(this.#folder, 'api.sock');
  }

  async #open(cluster: TestCluster): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'headwater-e2e-kubelet-'));
    await copyFile('/etc/hosts', this.#hosts);
    const service = await this.#api.call<Service>('GET', '/api/v1/namespaces/default/services/kubernetes');
    this.#kubernetes = { host: service.spec.clusterIP, port: service.spec.ports[0]?.port ?? 443 };
    const wayOut = await forwarder(new URL(cluster.apiUrl), this.#socket);
    this.#stops.push(async () => wayOut.close());
    const logs = await serveLogs((name) => this.#logs.get(name)?.log);
    this.#stops.push(() => logs.stop());
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: this.#node } };
    await this.#api.call('POST', '/api/v1/nodes', { body: node });
    const { address, port: Port } = logs;
    const status = {
      addresses: [{ type: 'InternalIP', address }],
      daemonEndpoints: { kubeletEndpoint: { Port } },
    };
    const contentType = 'application/merge-patch+json';
    await this.#api.call('PATCH', `/api/v1/nodes/${this.#node}/status`, { body: { status }, contentType });
    this.#stops.push(() => this.#api.call('DELETE', `/api/v1/nodes/${this.#node}`));
  }
}

/** undefined: the object is gone. */
function unlessGone<Answer>(call: Promise<Answer>): Promise<Answer | undefined> {
  return call.catch((error: unknown) => {
    if (error instanceof ApiStatusError && error.code === 404) return undefined;
    throw error;
  });
}

/** From a Unix socket, which network namespaces do not part, to the API server, which is on loopback. */
async function forwarder(to: URL, socketPath: string): Promise<Server> {
  const server = createServer((client) => {
    const upstream = connect(Number(to.port), to.hostname);
    client.on('error', () => upstream.destroy()).pipe(upstream);
    upstream.on('error', () => client.destroy()).pipe(client);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(socketPath, resolve));
  return server;
}
