import type { Log } from '../core/log.ts';
import { httpStatusFor, type OutcomeKind } from './outcome.ts';
import type { Receipt } from './receive.ts';

const LEVELS: Readonly<Record<OutcomeKind, 'debug' | 'info' | 'warn'>> = {
  // Whoever finds the port can cause these; they are counted, and logged where somebody looks for them.
  'unknown-path': 'debug',
  'wrong-method': 'debug',
  'unsupported-content': 'debug',
  aborted: 'debug',
  unsigned: 'warn',
  forged: 'warn',
  malformed: 'warn',
  'too-large': 'warn',
  'no-room': 'warn',
  filtered: 'info',
  duplicate: 'info',
  kept: 'info',
  refused: 'warn',
  undelivered: 'warn',
};

/** One line per delivery, with ids and outcome; never headers, secrets or bodies. */
export function deliveryLogger(log: Log): (receipt: Receipt, seconds: number) => void {
  return ({ outcome, route, event }, seconds) => {
    const { kind, ...facts } = outcome;
    const level = kind === 'kept' && outcome.deadLettered !== undefined ? 'warn' : LEVELS[kind];
    log[level](
      {
        source: route && `${route.route.namespace}/${route.route.name}`,
        delivery: event?.attributes.id,
        event: event?.eventType,
        bytes: event?.data.length,
        ...facts,
        outcome: kind,
        status: httpStatusFor(kind),
        ms: Math.round(seconds * 1e5) / 100,
      },
      'delivery',
    );
  };
}
