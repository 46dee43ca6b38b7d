import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { type DeliveryPolicy, isAccepted, isRetryable, retryAfterMs } from '../core/delivery-policy.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import type { BrokeredEvent } from './brokered-event.ts';

/** What the receiver said in the end. */
export interface PostResult {
  readonly accepted: boolean;
  /** 0: there was no answer. */
  readonly status: number;
  /** In words, for people. */
  readonly outcome: string;
  /** A character of a value is an octet. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const TIMEOUT_MS = 30_000;
const MEBIBYTE = 1024 * 1024;
/** A reply is an event like any other, as large as the broker takes them. */
const agent = new Agent({ maxResponseSize: 32 * MEBIBYTE, maxHeaderSize: MEBIBYTE, keepAliveTimeout: 1000 });

export interface PostOptions {
  readonly stop: AbortSignal;
  /** Called once, when the first attempt failed. */
  readonly onFailure?: (result: PostResult, isRetried: boolean) => void;
}

/** Posts an event until it is accepted, refused for good, tried often enough, or `stop`. Never rejects. */
export async function postEvent(
  url: string,
  event: BrokeredEvent,
  policy: DeliveryPolicy,
  { stop, onFailure }: PostOptions,
): Promise<PostResult> {
  for (let attempt = 0; ; attempt += 1) {
    const result = await postOnce(url, event, policy.attemptTimeoutMs ?? TIMEOUT_MS, stop);
    const mayPass = result.status === 0 || isRetryable(result.status);
    const isLast = !mayPass || attempt === policy.retries || stop.aborted;
    if (attempt === 0 && !result.accepted) onFailure?.(result, !isLast);
    if (result.accepted || isLast) return result;
    await sleep(waitOf(policy, attempt, result), undefined, { signal: stop }).catch(() => undefined);
  }
}

function waitOf({ backoffMs, retryAfterMaxMs }: DeliveryPolicy, attempt: number, { headers }: PostResult): number {
  const asked = headers['retry-after'];
  if (retryAfterMaxMs === undefined || asked === undefined) return backoffMs(attempt);
  return Math.max(backoffMs(attempt), Math.min(retryAfterMaxMs, retryAfterMs(asked, Date.now())));
}

async function postOnce(
  url: string,
  { headers, data }: BrokeredEvent,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<PostResult> {
  const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), stop]);
  try {
    const reply = await request(url, { method: 'POST', headers: [...headers], body: data, signal, dispatcher: agent });
    const body = Buffer.from(await reply.body.arrayBuffer());
    const status = reply.statusCode;
    return {
      accepted: isAccepted(status),
      status,
      outcome: `answered ${status}`,
      headers: octetsOf(reply.headers),
      body,
    };
  } catch (error) {
    const outcome = signal.aborted ? `no answer within ${timeoutMs} ms` : (codeOf(error) ?? messageOf(error));
    return { accepted: false, status: 0, outcome, headers: {}, body: Buffer.alloc(0) };
  }
}

/** A character of a value is an octet; values of one name are joined (RFC 9110, 5.3). */
function octetsOf(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')]));
}
