import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { ApiStatusError } from '../../core/list-watch.ts';
import type { FakeApi } from './fake-api.ts';

const tlsFile = (name: string) => join(import.meta.dirname, 'tls', name);
const read = (name: string) => readFileSync(tlsFile(name), 'utf8');
export const CA_FILE = tlsFile('ca.pem');

/** Where an API is served, until the test ends, and who may ask it. */
export interface ServedApi {
  readonly url: string;
  /** The access token it takes; others get 401. */
  token: string;
  /** So many connections were made. */
  connections: number;
}

/** A fake API as a server of one collection; a fault of its is a fault of the connection. */
export async function serveOverHttps(api: FakeApi, path: string): Promise<ServedApi> {
  const tls = { key: read('server.key'), cert: read('server.pem') };
  // As Go's servers do, it offers HTTP/2.
  const server = createSecureServer({ ...tls, allowHTTP1: true }, (request, reply) => {
    // To HTTP/1.1, which is to be spoken, these are what node:http has.
    const [incoming, outgoing] = [request, reply] as unknown as [IncomingMessage, ServerResponse];
    answer(api, path, incoming, outgoing, served.token).catch(() => void outgoing.destroy());
  });
  server.on('secureConnection', () => void (served.connections += 1));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => void sockets.add(socket));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const served = { url: `https://localhost:${(server.address() as AddressInfo).port}`, token: 'good', connections: 0 };
  return served;
}

async function answer(
  api: FakeApi,
  path: string,
  request: IncomingMessage,
  reply: ServerResponse,
  token: string,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'https://x');
  if (request.headers.authorization !== `Bearer ${token}`) return refuse(reply, 401, 'Unauthorized');
  if (pathname !== path) return refuse(reply, 404, 'the server could not find the requested resource');
  const gone = new AbortController();
  reply.once('close', () => gone.abort());
  if (searchParams.get('watch') === 'true') return watch(api, searchParams, reply, gone.signal);
  try {
    const limit = Number(searchParams.get('limit'));
    const page = await api.list({ limit, continue: searchParams.get('continue') ?? undefined }, gone.signal);
    const metadata = { resourceVersion: page.resourceVersion, continue: page.continue };
    reply.end(JSON.stringify({ metadata, items: page.items.length > 0 ? page.items : null }));
  } catch (error) {
    if (!(error instanceof ApiStatusError)) throw error;
    refuse(reply, error.code, error.message);
  }
}

async function watch(api: FakeApi, query: URLSearchParams, reply: ServerResponse, signal: AbortSignal): Promise<void> {
  reply.flushHeaders();
  const resourceVersion = query.get('resourceVersion') ?? '';
  try {
    for await (const event of api.watch({ resourceVersion }, signal))
      await dribble(reply, `${JSON.stringify(event)}\n`);
    reply.end();
  } catch {
    // A reset comes in the middle of a line.
    reply.write('{"type":"ADDED","object":{"meta', () => reply.destroy());
  }
}

/** In pieces that end anywhere, also within a character. */
async function dribble(reply: ServerResponse, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7) {
    reply.write(bytes.subarray(at, at + 7));
    await sleep(1);
  }
}

function refuse(reply: ServerResponse, code: number, message: string): void {
  reply.writeHead(code, { 'content-type': 'application/json' });
  reply.end(JSON.stringify({ kind: 'Status', status: 'Failure', code, message }));
}
