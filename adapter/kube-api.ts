import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import {
  type ApiObject,
  ApiStatusError,
  type ListWatchTransport,
  type Page,
  type WatchEvent,
} from '../core/list-watch.ts';
import { textLines } from '../core/text-lines.ts';

export interface KubeApiConfig {
  /** Base URL of the API server. */
  readonly url: string;
  readonly tokenFile: string;
  readonly caFile: string;
}

export interface SecretObject extends ApiObject {
  readonly data?: Readonly<Record<string, string>>;
}

interface SecretList {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly SecretObject[] | null;
}

const HEADERS_TIMEOUT_MS = 30_000;

/**
 * The Secrets of one namespace, for `core/list-watch.ts`. Token and certificates are files that kubelet rotates: they are
 * read for every request, of which there are few.
 */
export class SecretsTransport<Kept extends ApiObject> implements ListWatchTransport<Kept> {
  readonly #config: KubeApiConfig;
  readonly #path: string;
  readonly #keep: (secret: SecretObject) => Kept;
  #agent: { readonly ca: string; readonly agent: Agent } | undefined;

  /** `keep`: what is kept of a Secret; the less, the more of them fit into memory. */
  constructor(
    config: KubeApiConfig & { readonly namespace: string },
    labelSelector: string,
    keep: (secret: SecretObject) => Kept,
  ) {
    const { namespace } = config;
    this.#config = config;
    this.#keep = keep;
    this.#path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets?labelSelector=${encodeURIComponent(labelSelector)}`;
  }

  async list(page: { limit: number; continue: string | undefined }, signal: AbortSignal): Promise<Page<Kept>> {
    const next = page.continue === undefined ? '' : `&continue=${encodeURIComponent(page.continue)}`;
    const { body } = await this.#get(`${this.#path}&limit=${page.limit}${next}`, signal);
    const { metadata, items } = (await body.json()) as SecretList;
    return {
      items: (items ?? []).map(this.#keep),
      resourceVersion: metadata.resourceVersion,
      continue: metadata.continue,
    };
  }

  async *watch(
    from: { resourceVersion: string; timeoutSeconds: number },
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent> {
    const query = `&watch=true&allowWatchBookmarks=true&resourceVersion=${from.resourceVersion}&timeoutSeconds=${from.timeoutSeconds}`;
    const { body } = await this.#get(this.#path + query, signal);
    for await (const line of textLines(body)) {
      const event = JSON.parse(line) as WatchEvent;
      const isSecret = event.type !== 'ERROR' && event.type !== 'BOOKMARK';
      yield isSecret ? { type: event.type, object: this.#keep(event.object as SecretObject) } : event;
    }
  }

  async close(): Promise<void> {
    await this.#agent?.agent.destroy();
  }

  /** @throws ApiStatusError */
  async #get(path: string, signal: AbortSignal) {
    const { url, tokenFile, caFile } = this.#config;
    const [token, ca] = await Promise.all([readFile(tokenFile, 'utf8'), readFile(caFile, 'utf8')]);
    const reply = await request(url.replace(/\/+$/, '') + path, {
      headers: { authorization: `Bearer ${token.trim()}`, accept: 'application/json', 'user-agent': 'headwater' },
      dispatcher: this.#agentFor(ca),
      signal,
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: 0,
    });
    if (reply.statusCode < 300) return reply;
    await reply.body.dump();
    throw new ApiStatusError('GET secrets', reply.statusCode, 'the API server refused');
  }

  #agentFor(ca: string): Agent {
    if (this.#agent?.ca !== ca) {
      void this.#agent?.agent.close();
      this.#agent = { ca, agent: new Agent({ allowH2: false, connect: { ca }, connections: 4 }) };
    }
    return this.#agent.agent;
  }
}
