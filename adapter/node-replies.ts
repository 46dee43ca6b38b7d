import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * Makes requests like all others of those that Node would answer by itself, past the reply table: one with an `Expect`
 * it does not know (417), one with an `Expect` it knows (`100 Continue`, before anybody saw the headers), and CONNECT
 * (cut off). What it returns holds the requests that wait for `100 Continue` before they send their body.
 */
export function takeOverFromNode(server: Server): WeakSet<IncomingMessage> {
  const waiting = new WeakSet<IncomingMessage>();
  const take = (request: IncomingMessage, response: ServerResponse) => void server.emit('request', request, response);
  server.on('checkExpectation', take);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    take(request, response);
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex) => take(request, lastResponse(request, socket)));
  return waiting;
}

/** With CONNECT Node lets go of the connection: without a listener, an error on it would end the process. */
function lastResponse(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  socket.on('error', () => undefined);
  response.assignSocket(request.socket);
  response.setHeader('connection', 'close');
  response.once('finish', () => request.socket.destroySoon());
  return response;
}
