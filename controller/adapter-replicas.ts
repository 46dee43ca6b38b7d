import type { Log } from '../core/log.ts';
import { AdapterReplica } from './adapter-replica.ts';
import { SILENT } from './adapter-state.ts';
import type { AdapterState } from './cluster.ts';
import type { ControllerConfig } from './config.ts';
import { AdapterEndpoints, slicesOf } from './kube/adapter-endpoints.ts';
import type { ApiClient } from './kube/api-client.ts';
import { repeated } from './repeated.ts';

/** The adapters that serve, or should serve, the sources. */
export interface AdapterReplicas {
  start(): void;
  stop(): Promise<void>;
  statesOf(uid: string): Promise<readonly AdapterState[]>;
}

/** How often replicas are asked of which nobody else would tell a change. */
const LOOK_MS = 1000;

/** By the URLs that the configuration names, else by EndpointSlices; `onChange`: so many are ready now. */
export function adapterReplicas(
  config: Pick<ControllerConfig, 'adapterStateUrls' | 'adapterService' | 'systemNamespace'>,
  { api, log }: { api: ApiClient; log: Log },
  onChange: (ready: number) => void,
): AdapterReplicas {
  const { adapterStateUrls: named, systemNamespace, adapterService } = config;
  if (named.length > 0) return new NamedReplicas(named, { onChange, log });
  const replicas = new ReadyReplicas(onChange);
  const endpoints = new AdapterEndpoints({
    slices: slicesOf(api, systemNamespace, adapterService),
    onChange: (urls) => replicas.become(urls),
    log,
  });
  return {
    start: () => {
      endpoints.start();
      replicas.start();
    },
    stop: async () => {
      replicas.stop();
      await endpoints.stop();
    },
    statesOf: async (uid) => {
      await endpoints.ready();
      return replicas.statesOf(uid);
    },
  };
}

/** Those that the cluster says are ready: each of them gets deliveries, so one that does not answer counts. */
export class ReadyReplicas {
  readonly #onChange: (ready: number) => void;
  #byUrl = new Map<string, AdapterReplica>();
  #looking: { stop(): void } | undefined;

  constructor(onChange: (ready: number) => void) {
    this.#onChange = onChange;
  }

  become(urls: readonly string[]): void {
    this.#byUrl = new Map(urls.map((url) => [url, this.#byUrl.get(url) ?? new AdapterReplica(url)]));
    this.#onChange(urls.length);
  }

  start(): void {
    this.#looking = repeated(() => this.#lookAtSilent(), LOOK_MS);
  }

  stop(): void {
    this.#looking?.stop();
  }

  statesOf(uid: string): Promise<readonly AdapterState[]> {
    return Promise.all([...this.#byUrl.values()].map(async (replica) => (await replica.stateOf(uid)) ?? SILENT));
  }

  async #lookAtSilent(): Promise<void> {
    const silent = [...this.#byUrl.values()].filter(({ isSilent }) => isSilent);
    await Promise.all(silent.map((replica) => replica.look()));
    if (silent.some(({ isSilent }) => !isSilent)) this.#onChange(this.#byUrl.size);
  }
}

export interface NamedReplicasOptions {
  readonly onChange: (ready: number) => void;
  readonly log: Log;
}

/** Those of which nothing but their URLs is known: one that does not answer is not there, and is looked for. */
export class NamedReplicas implements AdapterReplicas {
  readonly #byUrl: ReadonlyMap<string, AdapterReplica>;
  readonly #options: NamedReplicasOptions;
  #ready: readonly string[] | undefined;
  #looking: { stop(): void } | undefined;

  constructor(urls: readonly string[], options: NamedReplicasOptions) {
    this.#byUrl = new Map(urls.map((url) => [url, new AdapterReplica(url)]));
    this.#options = options;
  }

  start(): void {
    this.#looking = repeated(() => this.#look(), LOOK_MS);
  }

  async stop(): Promise<void> {
    this.#looking?.stop();
  }

  async statesOf(uid: string): Promise<readonly AdapterState[]> {
    const states = await Promise.all([...this.#byUrl.values()].map((replica) => replica.stateOf(uid)));
    return states.filter((state) => state !== undefined);
  }

  async #look(): Promise<void> {
    const all = await Promise.all([...this.#byUrl].map(async ([url, replica]) => ((await replica.look()) ? url : [])));
    const ready = all.flat();
    if (ready.join() === this.#ready?.join()) return;
    this.#ready = ready;
    this.#options.log.info({ ready }, 'other adapters are ready');
    this.#options.onChange(ready.length);
  }
}
