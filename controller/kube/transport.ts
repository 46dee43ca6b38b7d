import type { ApiObject, ListWatchTransport, Page, WatchEvent } from '../../core/list-watch.ts';
import type { ApiClient } from './api-client.ts';

/** Metadata alone: of Secrets, whose values nobody needs but those who are named. */
export const METADATA_ONLY = {
  list: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
  watch: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
};

export interface Selection<Item> {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly accept?: typeof METADATA_ONLY | undefined;
  /** What is kept of an object: the less, the more of them fit into memory. */
  readonly keep: (object: Item) => Item;
}

interface List<Item> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly Item[] | null;
}

/** A collection of the API for `core/list-watch.ts`. */
export function transportOf<Item extends ApiObject>(
  api: Pick<ApiClient, 'call' | 'lines'>,
  path: string,
  { labelSelector, fieldSelector, accept, keep }: Selection<Item>,
): ListWatchTransport<Item> {
  const selectors = { labelSelector, fieldSelector };
  return {
    async list(page, signal): Promise<Page<Item>> {
      const query = { ...selectors, limit: page.limit, continue: page.continue };
      const list = await api.call<List<Item>>('GET', path, { query, signal, ...(accept && { accept: accept.list }) });
      const { resourceVersion, continue: next } = list.metadata;
      return { items: (list.items ?? []).map(keep), resourceVersion, continue: next };
    },
    async *watch({ resourceVersion, timeoutSeconds }, signal): AsyncIterable<WatchEvent> {
      const query = { ...selectors, watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds };
      for await (const line of api.lines(path, { query, signal, ...(accept && { accept: accept.watch }) })) {
        const event = JSON.parse(line) as WatchEvent;
        const isObject = event.type !== 'ERROR' && event.type !== 'BOOKMARK';
        yield isObject ? { type: event.type, object: keep(event.object as Item) } : event;
      }
    },
  };
}
