/** When a source is looked at again though nothing changed. */
export type Retry =
  /** Only a change in the cluster helps; it is looked at all the same now and then. */
  | { readonly when: 'changed' }
  /** It may pass: soon, then more and more seldom. */
  | {
      readonly when: 'backoff';
      /** The most between two looks, in milliseconds. */
      readonly longestMs?: number;
      /** What else brings it back, at once: adapters that come or go. */
      readonly wokenBy?: 'adapters';
    }
  | {
      readonly when: 'after';
      readonly ms: number;
      /**
       * Does for a whole look when only time has passed: every object the source is made from is watched. Resolves to when to
       * look next; undefined: a whole look is needed.
       */
      readonly recheck?: () => Promise<Retry | undefined>;
    };

/** A right that is given later changes nothing that is watched. */
export const FORBIDDEN_RETRY: Retry = { when: 'after', ms: 10_000 };

export interface Reason {
  /** CamelCase. */
  readonly reason: string;
  /** What to change. */
  readonly message: string;
}

/** A step that cannot be done now, as its condition says it. */
export interface Blocked extends Reason {
  readonly status: 'False' | 'Unknown';
  readonly retry: Retry;
}

/** The result of one step of a reconcile; `note` is said beside a condition that is true. */
export type Step<Result> =
  | { readonly done: Result; readonly note?: Reason | undefined }
  | { readonly blocked: Blocked };

export function isBlocked<Result>(step: Step<Result>): step is { readonly blocked: Blocked } {
  return 'blocked' in step;
}

export function blocked(
  reason: string,
  message: string,
  retry: Retry = { when: 'changed' },
  status: Blocked['status'] = 'False',
): { readonly blocked: Blocked } {
  return { blocked: { status, reason, message, retry } };
}
