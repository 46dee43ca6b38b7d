import type { Log } from '../core/log.ts';
import { statesOfAnswering, statesOfReady } from './adapter-state.ts';
import type { AdapterState } from './cluster.ts';
import type { ControllerConfig } from './config.ts';
import { AdapterEndpoints, slicesOf } from './kube/adapter-endpoints.ts';
import type { ApiClient } from './kube/api-client.ts';

/** The adapters that serve, or should serve, the sources. */
export interface AdapterReplicas {
  start(): void;
  stop(): Promise<void>;
  statesOf(uid: string): Promise<readonly AdapterState[]>;
}

/** By the URLs that the configuration names, else by EndpointSlices; `onChange`: so many are ready now. */
export function adapterReplicas(
  config: Pick<ControllerConfig, 'adapterStateUrls' | 'adapterService' | 'systemNamespace'>,
  { api, log }: { api: ApiClient; log: Log },
  onChange: (ready: number) => void,
): AdapterReplicas {
  const { adapterStateUrls: named, systemNamespace, adapterService } = config;
  if (named.length > 0) {
    return { start: () => undefined, stop: async () => undefined, statesOf: (uid) => statesOfAnswering(named, uid) };
  }
  const endpoints = new AdapterEndpoints({
    slices: slicesOf(api, systemNamespace, adapterService),
    onChange: (urls) => onChange(urls.length),
    log,
  });
  return {
    start: () => endpoints.start(),
    stop: () => endpoints.stop(),
    statesOf: async (uid) => statesOfReady(await endpoints.ready(), uid),
  };
}
