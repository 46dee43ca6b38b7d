import { messageOf } from '../core/errors.ts';
import { apiKeyOf, ListWatch, type ListWatchTimings } from '../core/list-watch.ts';
import type { Log } from '../core/log.ts';
import type { RouteFeed } from './adapter.ts';
import { type KubeApiConfig, type SecretObject, SecretsTransport } from './kube-api.ts';
import type { RouteReceiver } from './routes-dir.ts';
import { parseServableRoute } from './servable-route.ts';

const ROUTES = 'headwater.dev/route=true';

/** Keeps a route table equal to the route Secrets of a namespace. Of a broken one the last good route stays. */
export function watchedRoutes(
  config: KubeApiConfig & { readonly namespace: string },
  table: RouteReceiver,
  log: Log,
  timings: Partial<ListWatchTimings> = {},
): RouteFeed {
  const transport = new SecretsTransport(config, config.namespace, ROUTES);
  /** The uid each Secret's route was served for. */
  const served = new Map<string, string>();

  const put = (secret: SecretObject) => {
    const name = apiKeyOf(secret);
    try {
      const [text] = Object.entries(secret.data ?? {})
        .filter(([key]) => key.endsWith('.json'))
        .map(([, value]) => value);
      const { route } = parseServableRoute(Buffer.from(text ?? '', 'base64').toString('utf8'));
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
  const remove = (secret: SecretObject) => {
    const uid = served.get(apiKeyOf(secret));
    served.delete(apiKeyOf(secret));
    if (uid === undefined) return;
    table.remove(uid);
    log.info({ uid }, 'route removed');
  };
  const onFailure = (error: unknown) =>
    log.warn({ error: messageOf(error) }, 'routes not watched; what is served stays');
  const listWatch = new ListWatch<SecretObject>({ transport, onChange: put, onGone: remove, onFailure, timings });
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
