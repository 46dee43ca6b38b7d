import type { Mismatch } from '../../core/filter-mismatch.ts';
import { isObject } from '../definition-text.ts';
import type { AttributeFilter, ConsumedEvent, CorrelationRule, PayloadConstant } from '../model.ts';
import type { ExplainedEvent } from './explain.ts';

/** Whether a workflow takes an event at one place, as far as its definition tells without running. */
export interface Taking {
  /** Empty: nothing that is known speaks against it. */
  readonly mismatches: readonly Mismatch[];
  /** What only the runtime can judge, as written. */
  readonly undecided: readonly string[];
  /** How the waiting instance is chosen: what its value must be. */
  readonly instances: readonly ChosenInstance[];
}

export interface ChosenInstance {
  /** What is compared: the name of an attribute, or of a member of the data (`.a.b`). */
  readonly by: string;
  /** What the event has; undefined: nothing, so that no instance is found. */
  readonly value: string | undefined;
}

export function takingOf({ attributes, payload, correlations, role }: ConsumedEvent, event: ExplainedEvent): Taking {
  const judged = [
    ...attributes.map((filter) => ofAttribute(filter, event)),
    ...payload.flatMap(({ constants, isWhole, expression }) => [
      ...constants.map((constant) => ofMember(constant, event)),
      ...(isWhole ? [] : [{ undecided: expression }]),
    ]),
    ...correlations.map((rule) => ofCorrelation(rule, event)),
  ];
  return {
    mismatches: judged.flatMap((one) => (one && 'mismatch' in one ? [one.mismatch] : [])),
    undecided: judged.flatMap((one) => (one && 'undecided' in one ? [one.undecided] : [])),
    instances: role === 'start' ? [] : correlations.flatMap((rule) => chosenBy(rule, event)),
  };
}

/** Whether nothing that is known speaks against it: a condition, or that there is nothing to find an instance by. */
export function mayTake({ mismatches, instances }: Taking): boolean {
  return mismatches.length === 0 && instances.every(({ value }) => value !== undefined);
}

type Judged = { readonly mismatch: Mismatch } | { readonly undecided: string } | undefined;

const unmet = (name: string, wanted: string, found: string | undefined): Judged => ({
  mismatch: { name, wanted, found, isAlternative: false },
});

function ofAttribute(filter: AttributeFilter, { attributes }: ExplainedEvent): Judged {
  const found = Object.hasOwn(attributes, filter.name) ? attributes[filter.name] : undefined;
  switch (filter.test) {
    case 'exact':
      return found === filter.value ? undefined : unmet(filter.name, filter.value, found);
    case 'prefix':
      return found?.startsWith(filter.value) ? undefined : unmet(filter.name, `${filter.value}…`, found);
    case 'suffix':
      return found?.endsWith(filter.value) ? undefined : unmet(filter.name, `…${filter.value}`, found);
    case 'runtime':
      return { undecided: `${filter.name}: ${filter.expression}` };
    default:
      return filter satisfies never;
  }
}

function ofMember({ member, values }: PayloadConstant, { data }: ExplainedEvent): Judged {
  const found = memberOf(data, member);
  const isWanted = values.some((value) => value === found);
  return isWanted ? undefined : unmet(nameOf(member), values.map(String).join(' or '), textOf(found));
}

/** Only a constant speaks for or against an event; what an instance remembers is not known here. */
function ofCorrelation(rule: CorrelationRule, event: ExplainedEvent): Judged {
  const { from, expect } = rule;
  if (from.kind === 'expression') return { undecided: `correlation ${rule.name}: ${from.expression}` };
  if (expect.kind === 'expression') return { undecided: `correlation ${rule.name}: ${expect.expression}` };
  if (expect.kind === 'first') return undefined;
  const found = valueOf(rule, event);
  return found === expect.value ? undefined : unmet(byOf(rule), expect.value, found);
}

function chosenBy(rule: CorrelationRule, event: ExplainedEvent): ChosenInstance[] {
  const isOwn = rule.from.kind !== 'expression' && rule.expect.kind !== 'constant';
  return isOwn ? [{ by: byOf(rule), value: valueOf(rule, event) }] : [];
}

function byOf({ from }: CorrelationRule): string {
  if (from.kind === 'attribute') return from.name;
  return from.kind === 'member' ? nameOf(from.member) : from.expression;
}

function valueOf({ from }: CorrelationRule, { attributes, data }: ExplainedEvent): string | undefined {
  if (from.kind === 'attribute') return Object.hasOwn(attributes, from.name) ? attributes[from.name] : undefined;
  return from.kind === 'member' ? textOf(memberOf(data, from.member)) : undefined;
}

function memberOf(data: unknown, member: readonly string[]): unknown {
  return member.reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined),
    data,
  );
}

function nameOf(member: readonly string[]): string {
  return `.${member.join('.')}`;
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
