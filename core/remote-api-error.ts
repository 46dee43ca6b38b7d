/** What kind of trouble a provider's API is in, which decides what the user must change and when to try again. */
export type RemoteTrouble =
  | 'unauthorized'
  | 'forbidden'
  | 'rate-limited'
  | 'not-found'
  | 'invalid'
  | 'unreachable'
  | 'failing';

/** A provider's API refused a call, failed at it, or was not reached. */
export class RemoteApiError extends Error {
  override name = 'RemoteApiError';
  readonly trouble: RemoteTrouble;
  /** The HTTP status; undefined where there was no answer. */
  readonly status: number | undefined;
  /** Milliseconds the API asked to wait; undefined where it asked nothing. */
  readonly retryAfterMs: number | undefined;

  /** `reason`: the provider's own sentence, never the body of its answer. */
  constructor(
    call: string,
    facts: { trouble: RemoteTrouble; status?: number | undefined; reason: string; retryAfterMs?: number | undefined },
    options?: ErrorOptions,
  ) {
    super(`${call}: ${facts.status === undefined ? '' : `${facts.status} `}${facts.reason}`, options);
    this.trouble = facts.trouble;
    this.status = facts.status;
    this.retryAfterMs = facts.retryAfterMs;
  }
}
