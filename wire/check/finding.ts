import type { Place } from '../../core/problem.ts';

/** What each rule is about, in a few words; the key is its name. */
export const rules = {
  dangling: 'a definition refers to what is not there',
  odd: 'a definition has what its language has not',
  'no-producer': 'nobody produces an event that is consumed',
  'source-mismatch': 'the events that come have another source or repository than is asked for',
  'not-subscribed': 'a source does not ask for an event that is consumed of it',
  'attribute-never-set': 'an attribute is asked for that no producer of the event sets',
  'correlation-never-set': 'instances are told apart by an attribute that no producer of the event sets',
  'no-correlation': 'every waiting instance takes the event, whichever it is for',
  'catch-all': 'every event of the Broker is taken',
  'runtime-filter': 'a part of a filter can be applied by the runtime alone',
  loop: 'a workflow starts itself, by way of others or not',
  'shared-start': 'one event starts two workflows',
  'sent-twice': 'two sources send the same events to one Broker',
  'taken-twice': 'an event may come to one subscriber twice',
  'no-dead-letter-sink': 'what a workflow does not take is lost',
  'no-plan': 'wire plan cannot make the objects',
  unread: 'nobody consumes an event that is emitted',
} as const;

export type RuleName = keyof typeof rules;

/** error: it cannot work; warning: it is likely a mistake; info: good to know. */
export type Severity = 'error' | 'warning' | 'info';

/** What a rule found, and where. */
export interface Finding {
  readonly rule: RuleName;
  readonly severity: Severity;
  readonly place: Place;
  /** undefined: it is about the set. */
  readonly workflow: string | undefined;
  /** What is wrong, and what to change. */
  readonly message: string;
}
