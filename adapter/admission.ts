import type { IncomingMessage } from 'node:http';
import type { BufferedBytes } from './body.ts';
import type { ReceiveLimits } from './config.ts';
import type { ReceiveOutcome } from './outcome.ts';
import { unknownPath } from './receive.ts';
import type { ServedRoute } from './route-table.ts';

/** With any parameters: JSON is UTF-8 whatever a charset claims (RFC 8259, 8.1). */
const ACCEPTED_TYPE = /^application\/(?:json|x-www-form-urlencoded)\s*(?:;|$)/i;

/** The refusals that need nothing of the body, in the order of the reply table; undefined: read on. */
export function refusalBeforeBody(
  request: IncomingMessage,
  { route, path }: { route: ServedRoute | undefined; path: string },
  limits: ReceiveLimits,
  room: BufferedBytes,
): ReceiveOutcome | undefined {
  const { headers } = request;
  const declared = Number(headers['content-length'] ?? 0);
  if (!route) return unknownPath(path);
  if (request.method !== 'POST') return { kind: 'wrong-method' };
  if (!ACCEPTED_TYPE.test(headers['content-type'] ?? '')) return { kind: 'unsupported-content' };
  if (hasTwoContentTypes(request)) return { kind: 'unsupported-content' };
  if (headers['content-encoding'] !== undefined) return { kind: 'unsupported-content' };
  if (declared > limits.bodyBytes) return { kind: 'too-large' };
  if (!route.definition.carriesSignature(headers)) return { kind: 'unsigned' };
  if (!room.hasRoomFor(declared)) return { kind: 'no-room' };
  return undefined;
}

/** Of two, `headers` has only the first; another reader may take the other. */
function hasTwoContentTypes({ rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'content-type') count += 1;
  }
  return count > 1;
}
