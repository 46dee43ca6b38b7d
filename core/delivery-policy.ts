import { headerValueOf } from './cloud-event.ts';
import { millisecondsOf } from './duration.ts';
import type { DeliverySpec } from './route.ts';

/** How often and how long one event is tried; milliseconds. */
export interface DeliveryPolicy {
  readonly retries: number;
  /** undefined: the adapter's default. */
  readonly attemptTimeoutMs: number | undefined;
  /** The wait before retry `index`, counted from 0. */
  readonly backoffMs: (index: number) => number;
  /** The most that a sink's Retry-After may ask for; undefined: it is not honoured. */
  readonly retryAfterMaxMs: number | undefined;
}

const DEFAULTS = { retry: 3, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S' } as const;

/**
 * Knative's delivery specification: linear waits delay·n, exponential delay·2^n, with n from 0 as Knative counts.
 * What the source leaves out is the default of ours, not "no retry".
 */
export function deliveryPolicyOf(spec: DeliverySpec): DeliveryPolicy {
  const { retry, backoffPolicy, backoffDelay } = { ...DEFAULTS, ...spec };
  const delay = millisecondsOf(backoffDelay ?? DEFAULTS.backoffDelay) ?? 0;
  return {
    retries: retry ?? DEFAULTS.retry,
    attemptTimeoutMs: spec.timeout === undefined ? undefined : millisecondsOf(spec.timeout) || undefined,
    backoffMs: backoffPolicy === 'linear' ? (index) => delay * index : (index) => delay * 2 ** index,
    retryAfterMaxMs: spec.retryAfterMax === undefined ? undefined : millisecondsOf(spec.retryAfterMax),
  };
}

export function isAccepted(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Knative's table: 404, 408, 409, 429 and 5xx may pass; 3xx and the other 4xx will not. */
export function isRetryable(status: number): boolean {
  return status >= 500 || status === 404 || status === 408 || status === 409 || status === 429;
}

/** Milliseconds a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date); 0 where it says nothing. */
export function retryAfterMs(header: string | undefined, now: number): number {
  if (header === undefined) return 0;
  const wait = /^\d+$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isNaN(wait) ? 0 : Math.max(0, wait);
}

/** Knative's dead-letter extensions, names and values in turn: where the event was refused, with what code, and what was said, cut at 1024. */
export function deadLetterExtensions(destination: string, code: number, data: Buffer): string[] {
  return [
    'ce-knativeerrordest',
    headerValueOf(destination),
    'ce-knativeerrorcode',
    String(code),
    'ce-knativeerrordata',
    data.toString('base64').slice(0, 1024),
  ];
}
