import fastify, { type FastifyInstance } from 'fastify';
import type { ControllerMetrics } from './metrics.ts';

/** Probes and metrics; also of a controller that does not lead, which is ready to. */
export function buildInternalServer(metrics: ControllerMetrics): FastifyInstance {
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.get('/healthz', () => 'ok\n');
  app.get('/readyz', () => 'ok\n');
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()));
  return app;
}
