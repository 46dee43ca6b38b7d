import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { ApiClient } from '../../controller/kube/api-client.ts';
import { buildBundles } from '../../scripts/build.ts';
import { nodeEnv } from '../../scripts/node-flags.ts';
import { type Exchange, SimulatedGitHub } from '../../sources/github/simulated-api.ts';
import type { RateLimits } from '../../sources/github/simulated-limits.ts';
import { startCluster } from '../../test/e2e/support/cluster.ts';
import { nodeOf, Part } from '../../test/e2e/support/real-world.ts';
import { freePort } from '../ports.ts';

/** Half of the controller's limit of 256 MiB: the share would be of this machine here. */
const AS_IN_ITS_POD = ['--max-old-space-size-percentage=50', '--max-old-space-size=128'] as const;

type Env = Readonly<Record<string, string>>;

/** A control plane with the built controller and adapter, each with the rights of its ServiceAccount, and a simulated GitHub. */
export class Stage {
  readonly github: SimulatedGitHub;
  /** An administrator's. */
  readonly api: ApiClient;
  readonly githubUrl: string;
  readonly controllerPort: number;
  readonly adapterPort: number;
  controller!: Part;
  adapter!: Part;
  readonly #exchanges: Map<string, number>;
  readonly #folder: string;
  readonly #env: { readonly controller: Env; readonly adapter: Env };
  readonly #started: AsyncDisposableStack;

  private constructor(made: Pick<Stage, 'github' | 'api' | 'githubUrl' | 'controllerPort' | 'adapterPort'> & Made) {
    this.github = made.github;
    this.api = made.api;
    this.githubUrl = made.githubUrl;
    this.controllerPort = made.controllerPort;
    this.adapterPort = made.adapterPort;
    this.#exchanges = made.exchanges;
    this.#folder = made.folder;
    this.#env = made.env;
    this.#started = made.started;
  }

  /** `limits`: of GitHub; null: none. */
  static async start(limits: Partial<RateLimits> | null): Promise<Stage> {
    const started = new AsyncDisposableStack();
    try {
      const folder = await mkdtemp(join(tmpdir(), 'headwater-bench-'));
      started.defer(() => rm(folder, { recursive: true, force: true }));
      await buildBundles(folder);
      const { plane, cluster } = await startCluster();
      started.defer(() => plane.stop());
      const exchanges = new Map<string, number>();
      const github = new SimulatedGitHub({ limits, onExchange: (exchange) => count(exchanges, exchange) });
      const githubUrl = await github.start();
      started.defer(() => github.stop());
      const config = new KubeConfig();
      config.loadFromFile(cluster.kubeconfig);
      const api = new ApiClient(config);
      started.defer(() => api.close());
      const tokenOf = (account: string) => requestToken(api, account);
      const kubeconfig = join(folder, 'controller.kubeconfig');
      await writeFile(kubeconfig, await plane.kubeconfig({ token: await tokenOf('headwater-controller') }));
      const tokenFile = join(folder, 'adapter.token');
      await writeFile(tokenFile, await tokenOf('headwater-adapter'));
      const [port, adapterPort, controllerPort] = [await freePort(), await freePort(), await freePort()];
      const env = {
        adapter: {
          HOST: '127.0.0.1',
          PORT: String(port),
          INTERNAL_PORT: String(adapterPort),
          ROUTES_NAMESPACE: 'headwater-routes',
          KUBERNETES_API_URL: cluster.apiUrl,
          KUBERNETES_TOKEN_FILE: tokenFile,
          KUBERNETES_CA_FILE: cluster.caFile,
          ALLOW_LOOPBACK_SINKS: 'true',
          SHUTDOWN_DELAY_MS: '0',
        },
        controller: {
          KUBECONFIG: kubeconfig,
          PUBLIC_URL: `http://127.0.0.1:${port}`,
          ADAPTER_STATE_URLS: `http://127.0.0.1:${adapterPort}`,
          INTERNAL_PORT: String(controllerPort),
          ALLOW_LOOPBACK: 'true',
        },
      };
      return new Stage({ github, api, githubUrl, controllerPort, adapterPort, exchanges, folder, env, started });
    } catch (error) {
      await started.disposeAsync();
      throw error;
    }
  }

  startAdapter(): void {
    this.adapter = this.#run('adapter', {});
  }

  startController(env: Env = {}): void {
    this.controller = this.#run('controller', env);
  }

  /** Calls to GitHub by method and status so far: `GET 304`. */
  exchanges(): ReadonlyMap<string, number> {
    return new Map(this.#exchanges);
  }

  stop(): Promise<void> {
    return this.#started.disposeAsync();
  }

  #run(plane: 'controller' | 'adapter', env: Env): Part {
    const command = nodeOf(join(this.#folder, `${plane}.js`)).map((word) => word.replace(...AS_IN_ITS_POD));
    const part = new Part(command, { ...nodeEnv, ...this.#env[plane], ...env });
    this.#started.defer(() => part.end('SIGKILL'));
    return part;
  }
}

interface Made {
  readonly exchanges: Map<string, number>;
  readonly folder: string;
  readonly env: { readonly controller: Env; readonly adapter: Env };
  readonly started: AsyncDisposableStack;
}

function count(exchanges: Map<string, number>, { method, status }: Exchange): void {
  const key = `${method} ${status}`;
  exchanges.set(key, (exchanges.get(key) ?? 0) + 1);
}

async function requestToken(api: ApiClient, account: string): Promise<string> {
  const path = `/api/v1/namespaces/headwater/serviceaccounts/${account}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } };
  const { status } = await api.call<{ status: { token: string } }>('POST', path, { body });
  return status.token;
}
