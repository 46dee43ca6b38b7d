import { askedOf } from '../asked.ts';
import { type Conjunction, holds, mayOverlap } from '../conditions.ts';
import type { ConsumedEvent, EmittedEvent, WiredSource, WiredWorkflow, WireSet } from '../model.ts';
import { subscriberOf } from '../planned-object.ts';
import { triggersOf } from '../triggers.ts';
import type { Finding } from './finding.ts';

/** A workflow and what starts it. */
interface Starter {
  readonly workflow: WiredWorkflow;
  readonly starts: readonly { readonly event: ConsumedEvent; readonly conditions: Conjunction }[];
}

function startersIn(sets: readonly WireSet[]): readonly Starter[] {
  return sets.flatMap((set) =>
    set.workflows.map((workflow) => ({
      workflow,
      starts: workflow.consumes
        .filter(({ role }) => role === 'start')
        .map((event) => ({ event, conditions: askedOf(event, workflow, { set, sets }).conditions })),
    })),
  );
}

/** Workflows of the set that start themselves; each circle is told once, at the first of them. */
export function loops(set: WireSet, sets: readonly WireSet[]): Finding[] {
  const told = new Set<string>();
  const starters = startersIn(sets);
  return set.workflows.flatMap((workflow) => {
    // Definitions that no wire.yaml puts together are each looked at alone: nothing says that they meet in one Broker.
    const among = set.name === undefined ? starters.filter((one) => one.workflow === workflow) : starters;
    const circle = circleThrough(workflow, among);
    const key = circle
      ?.map(({ place }) => `${place.file}:${place.line}`)
      .toSorted()
      .join();
    if (!circle || key === undefined || told.has(key)) return [];
    told.add(key);
    const way = [...circle, workflow].map(({ name }) => name).join(' → ');
    const message = `what it emits starts it again, without end: ${way}; filter on an attribute that tells the events apart`;
    return [{ rule: 'loop', severity: 'warning', place: workflow.runsAt, workflow: workflow.name, message }];
  });
}

/** The shortest way from a workflow back to itself; undefined: there is none. */
function circleThrough(from: WiredWorkflow, starters: readonly Starter[]): readonly WiredWorkflow[] | undefined {
  const ways: (readonly WiredWorkflow[])[] = [[from]];
  const seen = new Set<WiredWorkflow>();
  for (let way = ways.shift(); way; way = ways.shift()) {
    const last = way.at(-1) ?? from;
    for (const { workflow, starts } of starters) {
      if (!starts.some(({ conditions }) => last.emits.some((emitted) => mayStart(emitted, conditions)))) continue;
      if (workflow === from) return way;
      if (!seen.has(workflow)) ways.push([...way, workflow]);
      seen.add(workflow);
    }
  }
  return undefined;
}

/** Whether an emitted event meets conditions, as far as is known of it. What makes its own type may be any: not told. */
function mayStart({ type, source, attributes }: EmittedEvent, conditions: Conjunction): boolean {
  if (type === undefined || conditions.length === 0) return false;
  return conditions.every((condition) => {
    if (condition.name === 'type') return holds(condition, type);
    if (condition.name === 'source') return source === undefined || holds(condition, source);
    if (!Object.hasOwn(attributes, condition.name)) return false;
    const value = attributes[condition.name];
    return value === undefined || holds(condition, value);
  });
}

/** Workflows that an event may start together with another that was told of before. */
export function sharedStarts(set: WireSet, sets: readonly WireSet[]): Finding[] {
  if (set.name === undefined) return [];
  const starters = startersIn(sets);
  return set.workflows.flatMap((workflow) => {
    const at = starters.findIndex((one) => one.workflow === workflow);
    const own = starters[at];
    return starters.slice(0, at).flatMap((other) => {
      const pair = own?.starts
        .filter(({ conditions }) => conditions.length > 0)
        .flatMap((one) => other.starts.map((two) => [one, two] as const))
        .find(([one, two]) => two.conditions.length > 0 && mayOverlap(one.conditions, two.conditions));
      if (!pair) return [];
      const { file, line } = other.workflow.place;
      const message = `an event that starts it may start ${other.workflow.name} (${file}:${line}), too; filter on an attribute that tells them apart, if that is not meant`;
      return [
        {
          rule: 'shared-start',
          severity: 'warning',
          place: pair[0].event.attributes.find(({ name }) => name === 'type')?.place ?? pair[0].event.place,
          workflow: workflow.name,
          message,
        } as const,
      ];
    });
  });
}

/** Triggers that bring a subscriber what one of a set before it brings, too: only those of one set are put together. */
export function takenTwice(set: WireSet, sets: readonly WireSet[]): Finding[] {
  const triggersIn = (of: WireSet) =>
    triggersOf(of, sets).map((trigger) => {
      const to = subscriberOf(trigger.workflow, of, '');
      return { trigger, of, key: to && JSON.stringify(to) };
    });
  const before = sets.slice(0, sets.indexOf(set)).flatMap(triggersIn);
  return triggersIn(set).flatMap(({ trigger, key }) => {
    const overlaps = (one: Conjunction) => trigger.alternatives.some((own) => mayOverlap(own, one));
    const other = before.find((one) => one.key === key && key && one.trigger.alternatives.some(overlaps));
    const [first] = trigger.serves;
    if (!other || !first) return [];
    const where = `the set ${other.of.name} (${other.of.place.file}:${other.of.place.line})`;
    const message = `what it takes may come twice to where it runs: ${where} brings it there, too; describe both workflows in one wiring file`;
    return [
      {
        rule: 'taken-twice',
        severity: 'warning',
        place: first.event.place,
        workflow: first.workflow.name,
        message,
      } as const,
    ];
  });
}

/** Sources of what another source before it is of, too: each has a webhook of its own, and every event comes of both. */
export function sentTwice(set: WireSet, sets: readonly WireSet[]): Finding[] {
  const before = sets.slice(0, sets.indexOf(set)).flatMap(({ sources }) => sources);
  return set.sources.flatMap(({ kind, eventSource, name, place }, index) => {
    const isSame = (other: WiredSource) => other.kind === kind && other.eventSource === eventSource;
    const other = [...before, ...set.sources.slice(0, index)].find(isSame);
    if (!other) return [];
    const message = `source ${name} sends what ${other.name} (${other.place.file}:${other.place.line}) sends to the same Broker, so that events come twice; leave one out`;
    return [{ rule: 'sent-twice', severity: 'warning', place, workflow: undefined, message } as const];
  });
}

/** Events that workflows emit and none consumes; who else may, is not known. */
export function unreadEvents(set: WireSet, sets: readonly WireSet[]): Finding[] {
  if (set.name === undefined) return [];
  const taken = sets.flatMap((of) =>
    of.workflows.flatMap((workflow) =>
      workflow.consumes.map((event) => askedOf(event, workflow, { set: of, sets }).conditions),
    ),
  );
  const isTaken = (type: string) =>
    taken.some((conditions) => conditions.every((one) => one.name !== 'type' || holds(one, type)));
  return set.workflows.flatMap(({ name, emits }) =>
    emits
      .filter(({ type }) => type !== undefined && !isTaken(type))
      .map(({ type, place }) => ({
        rule: 'unread',
        severity: 'info',
        place,
        workflow: name,
        message: `no workflow here consumes ${type}`,
      })),
  );
}
