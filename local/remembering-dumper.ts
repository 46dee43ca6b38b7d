import type { PortWish } from '../core/listen.ts';
import { sha256Of } from '../dump/event.ts';
import { startDumper } from '../dump/server.ts';
import type { Report } from './dev-line.ts';

/** More than are played for one look at them; it may run for days. */
export const MOST_REMEMBERED = 10_000;

/** A dumper that keeps, of each of the last events, its id and the SHA-256 of its data. */
export async function startRememberingDumper(host: string, port: PortWish, report: Report) {
  const received = new Map<string, string>();
  const onRefused = (reason: string) =>
    report({ type: 'warning', from: 'dumper', message: `refused, not a CloudEvent: ${reason}` });
  const dumper = await startDumper({ host, port, setting: '--dump-port', onRefused }, (event) => {
    remember(received, String(event.attributes['id']), event.data ? sha256Of(event.data) : '');
    report({ type: 'event', event });
  });
  return { received, url: `http://${host}:${dumper.port}/`, stop: () => dumper.stop() };
}

/** The oldest is forgotten where there are too many. */
export function remember(received: Map<string, string>, id: string, sha256: string): void {
  received.delete(id);
  received.set(id, sha256);
  const [oldest] = received.keys();
  if (received.size > MOST_REMEMBERED && oldest !== undefined) received.delete(oldest);
}
