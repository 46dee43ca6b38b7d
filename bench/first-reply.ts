import type { ChildProcess } from 'node:child_process';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SignedDelivery } from '../sources/contract.ts';
import { HOOK_PATH } from './deliveries.ts';

const GIVE_UP_MS = 15_000;
const RETRY_MS = 2;

/**
 * Sends deliveries to `port` until one is answered 202: the server is up, and so is its way to the sink.
 * @throws Error when `server` ends, answers anything else, or takes too long.
 */
export async function untilFirstAccepted(
  server: ChildProcess,
  port: number,
  next: () => SignedDelivery,
): Promise<void> {
  const givingUp = performance.now() + GIVE_UP_MS;
  while (performance.now() < givingUp) {
    if (server.exitCode !== null) throw new Error(`${server.spawnargs.join(' ')} ended with code ${server.exitCode}`);
    const status = await statusOf(port, next());
    if (status === 202) return;
    if (status !== undefined) throw new Error(`port ${port} answered ${status} to the first delivery`);
    await sleep(RETRY_MS);
  }
  throw new Error(`port ${port} accepted nothing within ${GIVE_UP_MS} ms`);
}

/** undefined: nobody listens yet. */
function statusOf(port: number, { headers, body }: SignedDelivery): Promise<number | undefined> {
  return new Promise((resolve) => {
    const target = { host: '127.0.0.1', port, path: HOOK_PATH, method: 'POST', agent: false, timeout: GIVE_UP_MS };
    const call = request({ ...target, headers }, (reply) => {
      reply.resume().once('close', () => resolve(reply.statusCode));
    });
    call.once('timeout', () => call.destroy());
    call.once('error', () => resolve(undefined));
    call.end(body);
  });
}
