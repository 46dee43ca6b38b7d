import { type Mismatch, mismatchesOf } from '../../core/filter-mismatch.ts';
import type { Place } from '../../core/problem.ts';
import { isObject, textOf } from '../definition-text.ts';
import { namespaceOf, specOf, type Target, targetOf, targetOfDestination, targetOfRuntime } from '../graph/targets.ts';
import type { ConsumedEvent, KubeManifest, WireSet, Wiring } from '../model.ts';
import { type Taking, takingOf } from './taking.ts';

/** An event as it is explained. */
export interface ExplainedEvent {
  /** All context attributes, as text. */
  readonly attributes: Readonly<Record<string, string>>;
  /** JSON, parsed; undefined: it has none, or other data. */
  readonly data: unknown;
}

/** What becomes of one event. Those that take it come first, then those that nearly would. */
export interface Explanation {
  readonly triggers: readonly ExplainedTrigger[];
  /** One for each place of a definition where an event is waited for. */
  readonly steps: readonly ExplainedStep[];
}

export interface ExplainedTrigger {
  readonly name: string;
  readonly namespace: string;
  readonly broker: string;
  /** Who gets what matches; undefined: the Trigger does not say. */
  readonly subscriber: string | undefined;
  /** Empty: the Trigger wants the event. */
  readonly mismatches: readonly Mismatch[];
}

export interface ExplainedStep {
  readonly workflow: string;
  readonly step: string;
  readonly place: Place;
  readonly role: ConsumedEvent['role'];
  /** Whether a Trigger, or the producer itself, brings the event to the workflow. */
  readonly isReached: boolean;
  readonly taking: Taking;
}

/** `objects`: Triggers count, wherever they come from. */
export function explain(event: ExplainedEvent, objects: readonly KubeManifest[], { sets }: Wiring): Explanation {
  const triggers = objects
    .filter(isTrigger)
    .map((trigger) => ({ trigger, explained: explainedTrigger(trigger, event) }));
  const reached = new Set(
    triggers.flatMap(({ trigger, explained }) => {
      const to = explained.mismatches.length === 0 ? subscriberOf(trigger) : undefined;
      return to ? [to.key] : [];
    }),
  );
  const steps = sets.flatMap((set) => stepsOf(set, event, reached));
  return {
    triggers: triggers.map(({ explained }) => explained).toSorted((a, b) => a.mismatches.length - b.mismatches.length),
    steps: steps.toSorted((a, b) => a.taking.mismatches.length - b.taking.mismatches.length),
  };
}

function isTrigger({ apiVersion, kind }: KubeManifest): boolean {
  return kind === 'Trigger' && apiVersion.startsWith('eventing.knative.dev/');
}

function explainedTrigger(trigger: KubeManifest, { attributes }: ExplainedEvent): ExplainedTrigger {
  const { name } = targetOf(trigger);
  const spec = specOf(trigger);
  const to = subscriberOf(trigger);
  return {
    name,
    namespace: namespaceOf(trigger),
    broker: textOf(spec['broker']) ?? 'default',
    subscriber: to && [to.kind, to.name].filter(Boolean).join(' '),
    // The API server, or the schema of local mode, holds them to this form.
    mismatches: mismatchesOf(attributes, spec),
  };
}

function subscriberOf(trigger: KubeManifest): Target | undefined {
  const { subscriber } = specOf(trigger);
  return isObject(subscriber) ? targetOfDestination(subscriber, namespaceOf(trigger)) : undefined;
}

function stepsOf({ workflows, namespace, external }: WireSet, event: ExplainedEvent, reached: ReadonlySet<string>) {
  const isDirect = external.some(({ direct, type }) => direct === true && type === event.attributes['type']);
  return workflows.flatMap(({ name, runtime, consumes }) =>
    consumes.map(
      (consumed): ExplainedStep => ({
        workflow: name,
        step: consumed.step,
        place: consumed.place,
        role: consumed.role,
        isReached: isDirect || (runtime !== undefined && reached.has(targetOfRuntime(runtime, namespace).key)),
        taking: takingOf(consumed, event),
      }),
    ),
  );
}
