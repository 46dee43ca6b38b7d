import type { FastifyError } from 'fastify';
import { listen, type PortWish } from '../core/listen.ts';
import { NotACloudEventError, type ReceivedEvent, readEvents } from './event.ts';
import { eventServer } from './event-server.ts';

export interface Dumper {
  readonly port: number;
  stop(): Promise<void>;
}

/** A sink that hands every event it gets to `onEvent`, and the reason for every refusal to `onRefused`. */
export async function startDumper(
  options: {
    host: string | undefined;
    port: PortWish;
    /** What a user sets to have another port. */
    setting?: string;
    onRefused?: (reason: string) => void;
  },
  onEvent: (event: ReceivedEvent) => void,
): Promise<Dumper> {
  const app = eventServer({
    rewriteUrl: ({ method, url }) => (method === 'GET' && url === '/healthz' ? '/healthz' : '/'),
  });
  app.get('/healthz', () => 'ok\n');
  app.get('/', () => 'headwater dump: POST CloudEvents to any path here\n');
  app.post('/', (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    for (const event of readEvents(request.raw.headers, body, new Date())) onEvent(event);
    return reply.code(202).send();
  });
  app.setErrorHandler((error: FastifyError | NotACloudEventError, _request, reply) => {
    const status = statusOf(error);
    if (status >= 500) throw error;
    options.onRefused?.(error.message);
    return reply.code(status).type('text/plain; charset=utf-8').send(`not a CloudEvent: ${error.message}\n`);
  });
  const port = await listen(app, { setting: '--port', ...options });
  return { port, stop: () => app.close() };
}

/** Fastify refuses bodies that are too large, and a Content-Type that is none, before anything is read. */
function statusOf(error: FastifyError | NotACloudEventError): number {
  if (error instanceof NotACloudEventError || error.statusCode === 415) return 400;
  return error.statusCode ?? 500;
}
