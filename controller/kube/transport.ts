import type { ApiObject, ListWatchTransport, Page, WatchEvent } from '../../core/list-watch.ts';
import type { ApiClient } from './api-client.ts';
import { readList } from './list-reader.ts';

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

/** A collection of the API for `core/list-watch.ts`. */
export function transportOf<Item extends ApiObject>(
  api: Pick<ApiClient, 'call' | 'lines' | 'chunks'>,
  path: string,
  { labelSelector, fieldSelector, accept, keep }: Selection<Item>,
): ListWatchTransport<Item> {
  const selectors = { labelSelector, fieldSelector };
  return {
    async list(page, signal): Promise<Page<Item>> {
      const query = { ...selectors, limit: page.limit, continue: page.continue };
      const items: Item[] = [];
      const chunks = api.chunks(path, { query, signal, ...(accept && { accept: accept.list }) });
      const { resourceVersion, continue: next } = await readList(chunks, (item) => items.push(keep(item as Item)));
      return { items, resourceVersion, continue: next };
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
