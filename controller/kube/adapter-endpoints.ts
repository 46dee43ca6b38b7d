import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../core/errors.ts';
import {
  type ApiObject,
  ApiStatusError,
  ListWatch,
  type ListWatchTimings,
  type ListWatchTransport,
} from '../../core/list-watch.ts';
import type { Log } from '../../core/log.ts';
import type { ApiClient } from './api-client.ts';
import { transportOf } from './transport.ts';

/** What counts of an EndpointSlice (discovery.k8s.io/v1). */
export interface EndpointSlice extends ApiObject {
  readonly addressType: string;
  readonly endpoints?: readonly Endpoint[] | null;
  readonly ports?: readonly { readonly name?: string | null; readonly port?: number | null }[] | null;
}

interface Endpoint {
  /** Nothing but the first has a meaning. */
  readonly addresses: readonly string[];
  readonly conditions?: { readonly ready?: boolean | null; readonly terminating?: boolean | null } | null;
}

export interface AdapterEndpointsOptions {
  readonly slices: ListWatchTransport<EndpointSlice>;
  /** Called when other replicas are ready than before. */
  readonly onChange: (urls: readonly string[]) => void;
  readonly log: Log;
  readonly timings?: Partial<ListWatchTimings>;
}

const PORT_NAME = 'internal';
const FORBIDDEN = 403;

export function slicesOf(api: ApiClient, namespace: string, service: string): ListWatchTransport<EndpointSlice> {
  return transportOf<EndpointSlice>(
    api,
    `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`,
    { labelSelector: `kubernetes.io/service-name=${service}`, keep: (slice) => slice },
  );
}

/** Internal URLs of the ready endpoints, each once and in order; a slice without a port of that name has none. */
export function readyUrlsIn(slices: readonly EndpointSlice[]): readonly string[] {
  const urls = slices.flatMap((slice) => {
    const port = slice.ports?.find(({ name }) => name === PORT_NAME)?.port;
    return port === undefined || port === null ? [] : readyHostsIn([slice]).map((host) => `http://${host}:${port}`);
  });
  return [...new Set(urls)].toSorted();
}

/** The ready endpoints' addresses as URLs have them, each once and in order. */
export function readyHostsIn(slices: readonly EndpointSlice[]): readonly string[] {
  const hosts = slices.flatMap(({ addressType, endpoints }) => {
    const host = hostOf[addressType];
    const addresses = (endpoints ?? []).filter(isReady).flatMap((endpoint) => endpoint.addresses.slice(0, 1));
    return host === undefined ? [] : addresses.map(host);
  });
  return [...new Set(hosts)].toSorted();
}

const hostOf: Readonly<Record<string, (address: string) => string>> = {
  IPv4: (address) => address,
  IPv6: (address) => `[${address}]`,
};

/** A condition that is absent is as if it were ready (discovery.k8s.io/v1, EndpointConditions). */
function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false && conditions?.terminating !== true;
}

/** The ready replicas of the adapter, as its EndpointSlices have them; none while they may not be read. */
export class AdapterEndpoints {
  readonly #options: AdapterEndpointsOptions;
  readonly #listWatch: ListWatch<EndpointSlice>;
  #urls: readonly string[] = [];
  /** Halfway through a list an endpoint may have left one slice and not be in another yet. */
  #isListing = true;
  #said: string | undefined;
  readonly #answered = Promise.withResolvers<void>();

  constructor(options: AdapterEndpointsOptions) {
    this.#options = options;
    const { slices, timings } = options;
    this.#listWatch = new ListWatch<EndpointSlice>({
      transport: {
        list: (page, signal) => {
          this.#isListing = true;
          return slices.list(page, signal);
        },
        watch: (from, signal) => {
          this.#isListing = false;
          this.#said = undefined;
          this.#compare();
          this.#answered.resolve();
          return slices.watch(from, signal);
        },
      },
      onChange: () => this.#compare(),
      onGone: () => this.#compare(),
      onFailure: (error) => this.#fail(error),
      ...(timings && { timings }),
    });
  }

  start(): void {
    this.#listWatch.start();
  }

  stop(): Promise<void> {
    this.#answered.resolve();
    return this.#listWatch.stop();
  }

  /** Once the API server answered: before, a source that is served would be said not to be. */
  async ready(): Promise<readonly string[]> {
    await this.#answered.promise;
    return this.#urls;
  }

  #compare(): void {
    if (!this.#isListing) this.#tell(readyUrlsIn(this.#listWatch.all()));
  }

  #tell(urls: readonly string[]): void {
    if (isDeepStrictEqual(urls, this.#urls)) return;
    this.#urls = urls;
    this.#options.log.info({ ready: urls }, 'other adapters are ready');
    this.#options.onChange(urls);
  }

  /** What was read stays while the API server is away; of what may not be read nobody would tell a change. */
  #fail(error: unknown): void {
    const message = messageOf(error);
    if (message !== this.#said)
      this.#options.log.warn({ error: message }, 'endpoint slices of the adapter not watched; tried again');
    this.#said = message;
    if (!(error instanceof ApiStatusError)) return;
    if (error.code === FORBIDDEN) this.#tell([]);
    this.#answered.resolve();
  }
}
