import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { refusalBeforeBody } from './admission.ts';
import { type BufferedBytes, type HeldBytes, readBody } from './body.ts';
import type { ReceiveLimits } from './config.ts';
import { takeOverFromNode } from './node-replies.ts';
import { httpStatusFor, type ReceiveOutcome, replyTextFor } from './outcome.ts';
import { type Receipt, type ReceiverDeps, receiveDelivery } from './receive.ts';
import type { RouteTable } from './route-table.ts';

export interface ServerDeps {
  readonly routes: RouteTable;
  readonly limits: ReceiveLimits;
  readonly room: BufferedBytes;
  /** What `receiveDelivery` needs for a request that arrived at this time of `clock`, with a body that is held. */
  readonly receiverFor: (arrivedAt: number, held: HeldBytes) => ReceiverDeps;
  /** From then on every reply ends its connection, so that clients turn elsewhere before this process is gone. */
  readonly isStopping: () => boolean;
  /** Called once for each request, when its outcome is known. */
  readonly record: (receipt: Receipt, seconds: number) => void;
  readonly clock: () => number;
  readonly log: Log;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Monotonic milliseconds. */
    arrivedAt: number;
  }
}

const RETRY_AFTER_SECONDS = '5';
/** An unread body up to this length is read away, so that the connection can be used again. */
const SMALL_BODY_BYTES = 64 * 1024;
const LINGER_MS = 1000;

/** The public face: every path and method arrives here, and gets the reply of the reply table. */
export function buildServer(deps: ServerDeps): FastifyInstance {
  const { limits, room } = deps;
  const app = fastify({
    logger: false,
    forceCloseConnections: 'idle',
    // While it closes, deliveries on open connections are still taken: the provider would not send them again.
    return503OnClosing: false,
    // Paths are ours to read: a router would answer some of them itself.
    rewriteUrl: () => '/',
    requestTimeout: limits.requestTimeoutMs,
    http: {
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(500, limits.headersTimeoutMs / 4)),
    },
  });
  const awaitingContinue = takeOverFromNode(app.server);
  app.decorateRequest('arrivedAt', 0);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  app.addHook('onRequest', (request, reply, done) => {
    request.arrivedAt = deps.clock();
    const path = pathOf(request);
    const route = deps.routes.find(path);
    const outcome = refusalBeforeBody(request.raw, { route, path }, limits, room);
    if (outcome) finish(request, reply, route ? { route, outcome } : { outcome });
    else done();
  });

  app.all('/', async (request, reply) => {
    if (awaitingContinue.has(request.raw)) reply.raw.writeContinue();
    const read = await readBody(request.raw, limits, room);
    const path = pathOf(request);
    if (read.kind !== 'read') {
      const route = deps.routes.find(path);
      return finish(request, reply, route ? { route, outcome: { kind: read.kind } } : { outcome: { kind: read.kind } });
    }
    try {
      const delivery = { path, headers: request.raw.headers, body: read.body };
      return finish(request, reply, await receiveDelivery(delivery, deps.receiverFor(request.arrivedAt, read.held)));
    } finally {
      read.held.letGo();
    }
  });

  app.setErrorHandler((error, request, reply) => {
    deps.log.error({ error: messageOf(error) }, 'delivery failed unexpectedly');
    const outcome: ReceiveOutcome = { kind: 'undelivered', attempts: 0, detail: 'internal error' };
    return finish(request, reply, { outcome });
  });

  function finish(request: FastifyRequest, reply: FastifyReply, receipt: Receipt): FastifyReply {
    deps.record(receipt, (deps.clock() - request.arrivedAt) / 1000);
    const { kind } = receipt.outcome;
    const status = httpStatusFor(kind);
    if (status === 405) reply.header('allow', 'POST');
    if (status === 503) reply.header('retry-after', RETRY_AFTER_SECONDS);
    if (!request.raw.complete) closeAfterReply(request, reply);
    if (deps.isStopping()) reply.header('connection', 'close');
    return reply
      .code(status)
      .type('text/plain; charset=utf-8')
      .send(`${replyTextFor(receipt.outcome)}\n`);
  }
  return app;
}

/** A request's target may be a whole URL (RFC 9112, 3.2.2); its host means nothing here. */
function pathOf(request: FastifyRequest): string {
  const url = request.originalUrl.replace(/^https?:\/\/[^/?#]*/i, '');
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}

/**
 * Ends the connection of a request whose body is not read. Closing at once, as Node does, resets the connection while
 * the client still sends, and the client may never see the reply; so reading stops, and the end comes a little later.
 */
function closeAfterReply(request: FastifyRequest, reply: FastifyReply): void {
  const { headers, socket } = request.raw;
  const isSmall =
    headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) <= SMALL_BODY_BYTES;
  if (isSmall) return;
  reply.header('connection', 'close');
  // Marks the body as consumed: Node would read an unconsumed one away at full speed.
  request.raw.read(0);
  socket.destroySoon = () => {
    socket.end();
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}
