import type { Place } from '../../core/problem.ts';
import { askedOf } from '../asked.ts';
import type { Oddity } from '../definition-text.ts';
import type { WiredWorkflow, WireSet, Wiring } from '../model.ts';
import { planOf } from '../plan.ts';
import { setsAtBrokerOf } from '../producers.ts';
import { checkConsumed, type LiveEventType } from './consumed-rules.ts';
import type { Finding } from './finding.ts';
import { loops, sentTwice, sharedStarts, takenTwice, unreadEvents } from './flow-rules.ts';

/**
 * `live`: the EventTypes a cluster knows besides; `oddities`: what the reader of the files tolerated. The findings come in the
 * order of files and lines.
 */
export function checkWiring(
  wiring: Wiring,
  live: readonly LiveEventType[] = [],
  oddities: readonly Oddity[] = [],
): readonly Finding[] {
  const findings = wiring.sets.flatMap((set) => {
    const sets = setsAtBrokerOf(set, wiring);
    const consumed = set.workflows.flatMap((workflow) =>
      workflow.consumes.flatMap((event) =>
        checkConsumed({ asked: askedOf(event, workflow, { set, sets }), workflow, set, sets, live }),
      ),
    );
    return [
      ...consumed,
      ...withoutDeadLetters(set),
      ...loops(set, sets),
      ...sharedStarts(set, sets),
      ...takenTwice(set, sets),
      ...sentTwice(set, sets),
      ...unreadEvents(set, sets),
    ];
  });
  findings.push(...unplanned(wiring), ...oddities.map(oddityFound));
  return unique(findings).toSorted((a, b) => comparePlaces(a.place, b.place) || (a.rule < b.rule ? -1 : 1));
}

function oddityFound({ file, line, column, message, isDangling }: Oddity): Finding {
  const place = { file, line, column };
  const found = isDangling ? (['dangling', 'error'] as const) : (['odd', 'warning'] as const);
  return { rule: found[0], severity: found[1], place, workflow: undefined, message };
}

/** Without wire.yaml, nothing is to be planned yet. */
function unplanned({ sets }: Wiring): Finding[] {
  const { problems } = planOf({ sets: sets.filter(({ name }) => name !== undefined) });
  return problems.map(({ file, line, message }) => ({
    rule: 'no-plan',
    severity: 'error',
    place: { file, line, column: 1 },
    workflow: undefined,
    message,
  }));
}

/** Of what is made: the Triggers of workflows that run somewhere. */
function withoutDeadLetters(set: WireSet): Finding[] {
  const has = ({ config }: WiredWorkflow) => (config?.delivery ?? set.config.delivery)?.deadLetterSink !== undefined;
  return set.workflows
    .filter((workflow) => workflow.runtime !== undefined && workflow.consumes.length > 0 && !has(workflow))
    .map((workflow) => ({
      rule: 'no-dead-letter-sink',
      severity: 'warning',
      place: workflow.runsAt,
      workflow: workflow.name,
      message: `what ${workflow.name} does not take is lost after the last attempt; name a sink for it: delivery.deadLetterSink`,
    }));
}

/** Two places of a definition may refer to one filter. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((one) => [JSON.stringify(one), one])).values()];
}

function comparePlaces(a: Place, b: Place): number {
  return a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1;
}
