import { createHash } from 'node:crypto';
import { messageOf } from '../../core/errors.ts';
import { ApiStatusError } from '../../core/list-watch.ts';
import type { Log } from '../../core/log.ts';
import type { HookRecord, SourceObject } from '../objects.ts';
import type { ApiClient } from './api-client.ts';
import { MERGE_PATCH } from './merge-patch.ts';

export interface OrphanedHooksOptions {
  readonly api: Pick<ApiClient, 'call'>;
  /** Where the controller is. */
  readonly systemNamespace: string;
  /** Told how many there are, as far as is known. */
  readonly onCount?: ((count: number) => void) | undefined;
  readonly log: Log;
}

interface ConfigMap {
  readonly data?: Readonly<Record<string, string>>;
}

const NAME = 'headwater-orphaned-hooks';

/** Webhooks that had to be left behind at the provider, a line each in a ConfigMap; who removed one there takes its line out. */
export class OrphanedHooks {
  readonly #options: OrphanedHooksOptions;
  readonly #collection: string;

  constructor(options: OrphanedHooksOptions) {
    this.#options = options;
    this.#collection = `/api/v1/namespaces/${encodeURIComponent(options.systemNamespace)}/configmaps`;
  }

  /** `Cluster.recordOrphan`. */
  async record(source: SourceObject, hook: HookRecord): Promise<void> {
    const { api, log } = this.#options;
    const { namespace, name } = source.metadata;
    const line = `${hook.api} ${hook.repository} webhook ${hook.id} (${source.kind} ${namespace}/${name})`;
    const key = createHash('sha256').update(line).digest('hex').slice(0, 16);
    const data = { [key]: line };
    const created = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: NAME }, data };
    try {
      const written = await api
        .call<ConfigMap>('PATCH', `${this.#collection}/${NAME}`, { body: { data }, contentType: MERGE_PATCH })
        .catch((error: unknown) => {
          if (!isAbsent(error)) throw error;
          return api.call<ConfigMap>('POST', this.#collection, { body: created });
        });
      this.#tell(written);
    } catch (error) {
      if (!(error instanceof ApiStatusError)) throw error;
      // A full ConfigMap, or a missing right, must not hold up the deletion.
      log.error({ orphan: line, error: error.message }, 'webhook left behind, and not noted');
    }
  }

  /** Counts them anew, since users take lines out. Never rejects. */
  async count(): Promise<void> {
    const { api, log } = this.#options;
    try {
      this.#tell(await api.call<ConfigMap>('GET', `${this.#collection}/${NAME}`));
    } catch (error) {
      if (isAbsent(error)) this.#tell({});
      else log.warn({ error: messageOf(error) }, 'webhooks left behind not counted; tried again');
    }
  }

  #tell({ data = {} }: ConfigMap): void {
    this.#options.onCount?.(Object.keys(data).length);
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof ApiStatusError && error.code === 404;
}
