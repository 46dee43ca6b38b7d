import fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify';

const MEBIBYTE = 1024 * 1024;
const BODY_BYTES = 32 * MEBIBYTE;
/** As Go's servers have it, 1 MiB and 4 KiB: attributes are sent whole. */
const HEADER_BYTES = MEBIBYTE + 4096;

/** A server for CloudEvents: bodies as raw bytes, headers however many and long. */
export function eventServer(options: Pick<FastifyServerOptions, 'rewriteUrl'> = {}): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES,
    forceCloseConnections: true,
    http: { maxHeaderSize: HEADER_BYTES },
    ...options,
  });
  // Node passes over every header after the 2000th.
  app.server.maxHeadersCount = 0;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  return app;
}
