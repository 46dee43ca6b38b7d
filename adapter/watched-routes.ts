import { messageOf } from '../core/errors.ts';
import { type ApiObject, apiKeyOf, ListWatch, type ListWatchTimings } from '../core/list-watch.ts';
import type { Log } from '../core/log.ts';
import type { Route } from '../core/route.ts';
import type { RouteFeed } from './adapter.ts';
import { type KubeApiConfig, type SecretObject, SecretsTransport } from './kube-api.ts';
import type { RouteReceiver } from './routes-dir.ts';
import { parseServableRoute } from './servable-route.ts';

const ROUTES = 'headwater.dev/route=true';

/** What is kept of a route Secret: with its data and managed fields, one of 10,000 took three times as much. */
interface Carrier extends ApiObject {
  /** Or what is wrong with it. */
  readonly route: Route | Error;
}

function carrierOf({ metadata: { namespace, name, resourceVersion }, data = {} }: SecretObject): Carrier {
  const [, text = ''] = Object.entries(data).find(([key]) => key.endsWith('.json')) ?? [];
  return {
    metadata: { namespace, name, resourceVersion },
    route: routeIn(Buffer.from(text, 'base64').toString('utf8')),
  };
}

function routeIn(text: string): Route | Error {
  try {
    return parseServableRoute(text).route;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Keeps a route table equal to the route Secrets of a namespace. Of a broken one the last good route stays. */
export function watchedRoutes(
  config: KubeApiConfig & { readonly namespace: string },
  table: RouteReceiver,
  log: Log,
  timings: Partial<ListWatchTimings> = {},
): RouteFeed {
  const transport = new SecretsTransport<Carrier>(config, ROUTES, carrierOf);
  /** The uid each Secret's route was served for. */
  const served = new Map<string, string>();

  const put = (secret: Carrier) => {
    const name = apiKeyOf(secret);
    try {
      const { route } = secret;
      if (route instanceof Error) throw route;
      const before = served.get(name);
      if (before !== undefined && before !== route.uid) table.remove(before);
      table.put(route);
      served.set(name, route.uid);
      log.info({ secret: name, uid: route.uid, generation: route.generation }, 'route served');
    } catch (error) {
      const consequence = served.has(name) ? 'the last good route stays' : 'nothing is served for it';
      log.error({ secret: name, error: messageOf(error) }, `route refused; ${consequence}`);
    }
  };
  const remove = (secret: Carrier) => {
    const uid = served.get(apiKeyOf(secret));
    served.delete(apiKeyOf(secret));
    if (uid === undefined) return;
    table.remove(uid);
    log.info({ uid }, 'route removed');
  };
  const onFailure = (error: unknown) =>
    log.warn({ error: messageOf(error) }, 'routes not watched; what is served stays');
  const listWatch = new ListWatch<Carrier>({ transport, onChange: put, onGone: remove, onFailure, timings });
  return {
    start: async () => {
      listWatch.start();
      await listWatch.firstList;
    },
    stop: async () => {
      await listWatch.stop();
      await transport.close();
    },
  };
}
