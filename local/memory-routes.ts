import type { RouteFeed } from '../adapter/adapter.ts';
import type { RouteReceiver } from '../adapter/routes-dir.ts';
import { parseServableRoute } from '../adapter/servable-route.ts';
import type { Route } from '../core/route.ts';

/** The routes of a controller and an adapter in one process. Each passes as the text a cluster would carry. */
export class MemoryRoutes {
  readonly #routes = new Map<string, Route>();
  #table: RouteReceiver | undefined;

  get(uid: string): Route | undefined {
    return this.#routes.get(uid);
  }

  all(): readonly Route[] {
    return [...this.#routes.values()];
  }

  /** @throws ConfigurationError when no adapter could serve it. */
  put(route: Route): void {
    const { route: read } = parseServableRoute(JSON.stringify(route));
    this.#table?.put(read);
    this.#routes.set(route.uid, read);
  }

  remove(uid: string): void {
    this.#routes.delete(uid);
    this.#table?.remove(uid);
  }

  /** For `startAdapter`: from its start on, the adapter serves what is here. */
  readonly feed = (table: RouteReceiver): RouteFeed => ({
    start: async () => {
      this.#table = table;
      for (const route of this.#routes.values()) table.put(route);
    },
    stop: async () => {
      this.#table = undefined;
    },
  });
}
