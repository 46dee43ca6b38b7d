import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient } from '../../../controller/kube/api-client.ts';
import { type Container, type Probe, portOf } from './pod-spec.ts';
import type { Part } from './real-world.ts';

export interface ProbedPodOptions {
  readonly api: Pick<ApiClient, 'call'>;
  readonly name: string;
  /** Of the Pod in the API. */
  readonly path: string;
  /** Of the token of its ServiceAccount; undefined: it has none. */
  readonly tokenFile: string | undefined;
  readonly container: Container;
  readonly process: Part;
  readonly address: string;
}

const MERGE = 'application/strategic-merge-patch+json';

/** A pod that runs: its startup and readiness probes are asked as its spec says, and its status is what they say. */
export class ProbedPod {
  readonly name: string;
  readonly process: Part;
  readonly address: string;
  readonly #options: ProbedPodOptions;
  readonly #stopped = new AbortController();
  #probing: Promise<void> = Promise.resolve();
  #isReady = false;

  constructor(options: ProbedPodOptions) {
    this.#options = options;
    this.name = options.name;
    this.process = options.process;
    this.address = options.address;
  }

  async start(): Promise<void> {
    await this.#writeStatus();
    this.#probing = this.#probe();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#probing;
  }

  get tokenFile(): string {
    const { tokenFile } = this.#options;
    if (tokenFile === undefined) throw new Error(`pod ${this.name} has no token`);
    return tokenFile;
  }

  url(port: string): string {
    const { container } = this.#options;
    return `http://${this.address}:${container.ports.find(({ name }) => name === port)?.containerPort}`;
  }

  /** As `kubectl delete` with a kubelet to obey it: SIGTERM, and when the process has ended the pod is gone. */
  async delete(): Promise<void> {
    await this.#options.api.call('DELETE', this.#options.path);
    await this.obeyDeletion();
  }

  /** What kubelet does when its pod was deleted. */
  async obeyDeletion(): Promise<void> {
    const { api, path, process } = this.#options;
    await process.end();
    await this.stop();
    await api.call('DELETE', path, { body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 } });
  }

  /** Whether a probe of its spec is answered well, once. */
  async passes(name: 'startupProbe' | 'livenessProbe' | 'readinessProbe'): Promise<boolean> {
    const { container } = this.#options;
    const probe: Probe | undefined = container[name];
    if (!probe) return true;
    const { httpGet, timeoutSeconds } = probe;
    const port = portOf(container, probe);
    if (httpGet === undefined) return isOpen(this.address, port);
    const url = `http://${this.address}:${port}${httpGet.path}`;
    try {
      const reply = await fetch(url, { signal: AbortSignal.timeout(timeoutSeconds * 1000), redirect: 'manual' });
      await reply.body?.cancel();
      return reply.status >= 200 && reply.status < 400;
    } catch {
      return false;
    }
  }

  async #probe(): Promise<void> {
    const { startupProbe, readinessProbe } = this.#options.container;
    while (!this.#stopped.signal.aborted && !(await this.passes('startupProbe')))
      await this.#pause(startupProbe?.periodSeconds ?? 0);
    let failures = 0;
    while (!this.#stopped.signal.aborted) {
      failures = (await this.passes('readinessProbe')) ? 0 : failures + 1;
      const isReady = failures === 0 || (this.#isReady && failures < readinessProbe.failureThreshold);
      if (isReady !== this.#isReady) {
        this.#isReady = isReady;
        await this.#writeStatus();
      }
      await this.#pause(readinessProbe.periodSeconds);
    }
  }

  async #writeStatus(): Promise<void> {
    const status = this.#isReady ? 'True' : 'False';
    const ip = this.address;
    const conditions = ['Ready', 'ContainersReady'].map((type) => ({ type, status }));
    const body = { status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions } };
    await this.#options.api.call('PATCH', `${this.#options.path}/status`, { body, contentType: MERGE });
  }

  async #pause(seconds: number): Promise<void> {
    await sleep(seconds * 1000, undefined, { signal: this.#stopped.signal }).catch(() => undefined);
  }
}

function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => resolve(true));
    socket.once('error', () => resolve(false)).once('close', () => socket.destroy());
    socket.end();
  });
}
