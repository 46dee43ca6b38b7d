import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { listen } from '../core/listen.ts';
import { NotACloudEventError, type ReceivedEvent, readEvents } from './event.ts';

export interface Dumper {
  readonly port: number;
  stop(delayMs: number): Promise<void>;
}

const MEBIBYTE = 1024 * 1024;

/**
 * A sink that hands every event it gets to `onEvent`. It takes 1 MiB of headers, as Go's servers do: attributes are
 * sent whole.
 */
export async function startDumper(
  options: { host: string | undefined; port: number; onRefused?: (reason: string) => void },
  onEvent: (event: ReceivedEvent) => void,
): Promise<Dumper> {
  const app = fastify({
    logger: false,
    bodyLimit: 32 * MEBIBYTE,
    forceCloseConnections: true,
    rewriteUrl: (request) => (request.url === '/healthz' ? '/healthz' : '/'),
    http: { maxHeaderSize: MEBIBYTE },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.get('/healthz', () => 'ok\n');
  app.get('/', () => 'headwater dump: POST CloudEvents to any path here\n');
  app.post('/', (request, reply) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    for (const event of readEvents(request.raw.headers, body, new Date())) onEvent(event);
    return reply.code(202).send();
  });
  app.setErrorHandler((error, _request, reply) => {
    if (!(error instanceof NotACloudEventError)) throw error;
    options.onRefused?.(error.message);
    return reply.code(400).type('text/plain; charset=utf-8').send(`not a CloudEvent: ${error.message}\n`);
  });
  await listen(app, options.host, options.port);
  return { port: (app.server.address() as AddressInfo).port, stop: () => app.close() };
}
