/** What became of one delivery. */
export type ReceiveOutcome =
  | { kind: 'unknown-path'; path: string }
  | { kind: 'wrong-method' }
  | { kind: 'unsupported-content' }
  | { kind: 'too-large' }
  | { kind: 'unsigned' }
  | { kind: 'no-room' }
  | { kind: 'aborted' }
  | { kind: 'forged' }
  | { kind: 'malformed'; detail: string }
  | { kind: 'filtered' }
  | { kind: 'duplicate' }
  /** `deadLettered`: what the sink did, where the dead-letter sink has the event. */
  | { kind: 'kept'; attempts: number; deadLettered?: string }
  | { kind: 'refused'; attempts: number; detail: string }
  | { kind: 'undelivered'; attempts: number; detail: string };

export type OutcomeKind = ReceiveOutcome['kind'];

/** Status and text of the reply; the text is fixed, so that nothing of sink or secret can get into it. */
const replies: Readonly<Record<OutcomeKind, readonly [status: number, text: string]>> = {
  'unknown-path': [404, 'no source is served at this path'],
  'wrong-method': [405, 'deliveries are sent by POST'],
  'unsupported-content': [415, 'application/json or application/x-www-form-urlencoded, without content encoding'],
  'too-large': [413, 'the body is larger than any delivery of a provider'],
  unsigned: [401, 'the signature header is absent or malformed'],
  'no-room': [503, 'too many deliveries are being received; try again'],
  // Nobody is there to read it.
  aborted: [400, 'the body ended early'],
  forged: [401, 'the signature does not match a secret of this source'],
  malformed: [400, 'this is no delivery of this provider'],
  filtered: [202, 'filtered: this source does not ask for this event'],
  duplicate: [202, 'duplicate: this delivery was kept before'],
  kept: [202, 'kept'],
  refused: [502, 'the sink refused the event'],
  undelivered: [503, 'the event cannot be delivered now; redeliver it later'],
};

export const outcomeKinds = Object.keys(replies) as readonly OutcomeKind[];

export function httpStatusFor(kind: OutcomeKind): number {
  return replies[kind][0];
}

/** The detail of a malformed delivery is a sentence of the provider's code, never of the delivery. */
export function replyTextFor(outcome: ReceiveOutcome): string {
  return outcome.kind === 'malformed' ? outcome.detail : replies[outcome.kind][1];
}
