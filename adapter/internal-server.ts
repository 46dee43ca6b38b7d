import fastify, { type FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.ts';
import type { HeldRoute, RouteTable } from './route-table.ts';

export interface InternalServerDeps {
  readonly routes: RouteTable;
  readonly metrics: Metrics;
  readonly isReady: () => boolean;
  /** Tells this process's cursors from those of an earlier one, which mean nothing here. */
  readonly instance: string;
}

interface StateQuery {
  readonly uid?: string | readonly string[];
  readonly since?: string;
}

/** The internal face: probes, metrics, and for the controller the state of each route. */
export function buildInternalServer(deps: InternalServerDeps): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: 'idle' });
  app.get('/healthz', () => 'ok\n');
  app.get('/readyz', (_request, reply) =>
    reply.code(deps.isReady() ? 200 : 503).send(deps.isReady() ? 'ok\n' : 'not ready\n'),
  );
  app.get('/metrics', async (_request, reply) => reply.type(deps.metrics.contentType).send(await deps.metrics.text()));
  app.get<{ Querystring: StateQuery }>('/state', (request) => stateOf(request.query, deps));
  return app;
}

/**
 * `uid`, once or more often: these routes. `since`: a cursor of an earlier answer; the routes changed after it, `complete: false`. Where the
 * cursor is another process's or routes were removed after it, all routes and `complete: true`.
 */
function stateOf(query: StateQuery, { routes, isReady, instance }: InternalServerDeps) {
  const { changed, removed } = routes.sequence;
  const [cursorInstance, sequence = ''] = query.since?.split('.') ?? [];
  const since = cursorInstance === instance && /^\d+$/.test(sequence) ? Number(sequence) : -1;
  const complete = since < removed || since < 0;
  const asked = query.uid === undefined ? routes.all() : [query.uid].flat().flatMap((uid) => routes.get(uid) ?? []);
  return {
    ready: isReady(),
    cursor: `${instance}.${changed}`,
    complete,
    routes: asked.filter(({ state }) => complete || state.changed > since).map(describe),
  };
}

function describe({ route, state }: HeldRoute) {
  const { uid, generation, kind, namespace, name } = route;
  const { counters, conflicts, lastAuthentic } = state;
  return { uid, generation, kind, namespace, name, counters, conflicts, lastAuthentic: lastAuthentic ?? null };
}
