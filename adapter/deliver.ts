import { setTimeout as sleep } from 'node:timers/promises';
import { ForbiddenAddressError } from '../core/address-guard.ts';
import { type EventAttributes, headerValueOf } from '../core/cloud-event.ts';
import {
  type DeliveryPolicy,
  deadLetterExtensions,
  isAccepted,
  isRetryable,
  retryAfterMs,
} from '../core/delivery-policy.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import type { HeldBytes } from './body.ts';
import type { DeliveryLimits } from './config.ts';
import type { ReceiveOutcome } from './outcome.ts';
import type { ServedRoute } from './route-table.ts';
import { type Answer, type Message, postToSink } from './sink.ts';
import type { Sink, SinkPools } from './sink-pools.ts';

export interface DeliverDeps {
  readonly pools: SinkPools;
  readonly limits: DeliveryLimits;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

export interface OutgoingEvent {
  readonly attributes: EventAttributes;
  /** RFC 3339. */
  readonly time: string;
  readonly data: Buffer;
}

export type DeliveryOutcome = Extract<ReceiveOutcome, { kind: 'kept' | 'refused' | 'undelivered' }>;

/**
 * Delivers one event to the route's sink, else to its dead-letter sink, until `deadline` (on the clock of `deps`).
 * 'kept' means that one of them answered 2xx. `held` is what the delivery's body counts as.
 */
export async function deliverEvent(
  event: OutgoingEvent,
  route: ServedRoute,
  { deadline, held }: { readonly deadline: number; readonly held: HeldBytes },
  deps: DeliverDeps,
): Promise<DeliveryOutcome> {
  const { sink, deadLetterSink, policy } = route;
  if (sink === null) return { kind: 'undelivered', attempts: 0, detail: 'the source has no usable sink' };
  const message: Message = { headers: binaryModeHeaders(event, route), data: event.data, held };
  const first = await tryUntilAccepted(
    sink,
    message,
    { policy, deadline: deadline - reserveOf(route, deadline, deps) },
    deps,
  );
  if (first.accepted) return { kind: 'kept', attempts: first.attempts };
  const detail = `sink: ${describe(first.answer)}`;
  if (deadLetterSink === null) {
    return { kind: refusedForGood(first.answer) ? 'refused' : 'undelivered', attempts: first.attempts, detail };
  }
  const lastWord = { ...message, headers: [...message.headers, ...errorExtensions(sink, first.answer)] };
  const second = await tryUntilAccepted(deadLetterSink, lastWord, { policy, deadline }, deps);
  const attempts = first.attempts + second.attempts;
  if (second.accepted) return { kind: 'kept', attempts, deadLettered: detail };
  return { kind: 'undelivered', attempts, detail: `${detail}; dead-letter sink: ${describe(second.answer)}` };
}

/** The time kept for the dead-letter sink; never more than half of what is left, so that the sink is always asked. */
function reserveOf({ deadLetterSink }: ServedRoute, deadline: number, { limits, clock }: DeliverDeps): number {
  return deadLetterSink === null ? 0 : Math.min(limits.deadLetterReserveMs, (deadline - clock()) / 2);
}

/** The headers of CloudEvents binary mode (HTTP binding 1.0.2, 3.1) as `eventFormat: knative` has them. */
function binaryModeHeaders({ attributes, time }: OutgoingEvent, route: ServedRoute): string[] {
  const { overridden } = route;
  const headers = [...route.headers, 'ce-id', headerValueOf(attributes.id), 'ce-type', attributes.type];
  if (!overridden.has('time')) headers.push('ce-time', time);
  if (attributes.subject && !overridden.has('subject')) headers.push('ce-subject', headerValueOf(attributes.subject));
  for (const [name, value] of attributes.extensions) {
    if (!overridden.has(name)) headers.push(`ce-${name}`, headerValueOf(value));
  }
  return headers;
}

interface Tried {
  readonly accepted: boolean;
  readonly attempts: number;
  /** The last one; undefined when there was no time for any. */
  readonly answer: Answer | undefined;
}

async function tryUntilAccepted(
  sink: Sink,
  message: Message,
  { policy, deadline }: { policy: DeliveryPolicy; deadline: number },
  deps: DeliverDeps,
): Promise<Tried> {
  const attemptTimeoutMs = policy.attemptTimeoutMs ?? deps.limits.attemptTimeoutMs;
  let answer: Answer | undefined;
  for (let attempts = 0; ; attempts += 1) {
    const left = deadline - deps.clock();
    const wait = attempts === 0 ? 0 : waitBeforeRetry(policy, attempts - 1, answer);
    if (wait >= left) return { accepted: false, attempts, answer };
    if (wait > 0) await sleep(wait);
    answer = await postToSink(deps.pools, sink, message, Math.min(attemptTimeoutMs, left - wait));
    if (answer.kind === 'answered' && isAccepted(answer.status))
      return { accepted: true, attempts: attempts + 1, answer };
    if (attempts === policy.retries || !mayPass(answer)) return { accepted: false, attempts: attempts + 1, answer };
  }
}

/** Knative honours Retry-After on 429 and 503, and only where `retryAfterMax` is set. */
function waitBeforeRetry(policy: DeliveryPolicy, retry: number, answer: Answer | undefined): number {
  const backoff = policy.backoffMs(retry);
  if (policy.retryAfterMaxMs === undefined || answer?.kind !== 'answered') return backoff;
  if (answer.status !== 429 && answer.status !== 503) return backoff;
  return Math.max(backoff, Math.min(policy.retryAfterMaxMs, retryAfterMs(answer.retryAfter, Date.now())));
}

function mayPass(answer: Answer): boolean {
  return answer.kind === 'answered' ? isRetryable(answer.status) : !(answer.error instanceof ForbiddenAddressError);
}

function refusedForGood(answer: Answer | undefined): boolean {
  return answer?.kind === 'answered' && !isRetryable(answer.status);
}

/** For logs: never the sink's own text. */
function describe(answer: Answer | undefined): string {
  if (answer === undefined) return 'no time was left';
  if (answer.kind === 'answered') return `answered ${answer.status}`;
  if (answer.error instanceof ForbiddenAddressError) return forbidden(answer.error);
  const code = codeOf(answer.error);
  // What undici says of a proxy that answers 407.
  return code === undefined || code === 'UND_ERR_INVALID_ARG' ? messageOf(answer.error) : code;
}

function forbidden({ message, group }: ForbiddenAddressError): string {
  return group === 'loopback' ? `${message}; ALLOW_LOOPBACK_SINKS=true allows it` : message;
}

/** Where there was no answer Knative sends code 500. */
function errorExtensions(sink: Sink, answer: Answer | undefined): string[] {
  if (answer?.kind === 'answered') return deadLetterExtensions(sink.url, answer.status, answer.body);
  return deadLetterExtensions(sink.url, 500, Buffer.from(`dispatch error: ${describe(answer)}`));
}
