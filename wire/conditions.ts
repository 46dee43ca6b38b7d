import type { TriggerFilter } from '../core/trigger-filter.ts';

/** A condition on one context attribute that a Trigger can ask for: its value passes `test` with one of `values`. */
export interface Condition {
  readonly name: string;
  readonly test: 'exact' | 'prefix' | 'suffix';
  /** At least one; sorted. */
  readonly values: readonly string[];
  /** Where it comes from. */
  readonly origin: 'definition' | 'wire.yaml' | 'payload' | 'correlation';
}

/** All must hold. */
export type Conjunction = readonly Condition[];

const passes = {
  exact: (value: string, wanted: string) => value === wanted,
  prefix: (value: string, wanted: string) => value.startsWith(wanted),
  suffix: (value: string, wanted: string) => value.endsWith(wanted),
};

export function holds({ test, values }: Condition, value: string): boolean {
  return values.some((wanted) => passes[test](value, wanted));
}

/** Whether an event could meet both; false only where that is certain. */
export function mayOverlap(a: Conjunction, b: Conjunction): boolean {
  return a.every((left) => b.every((right) => left.name !== right.name || couldBothHold(left, right)));
}

function couldBothHold(a: Condition, b: Condition): boolean {
  if (a.test === 'exact') return a.values.some((value) => holds(b, value));
  if (b.test === 'exact') return b.values.some((value) => holds(a, value));
  if (a.test !== b.test) return true;
  return a.values.some((value) => holds(b, value)) || b.values.some((value) => holds(a, value));
}

/** Whether every event that meets `a` meets `b`; true only where that is certain. */
export function implies(a: Conjunction, b: Conjunction): boolean {
  return b.every((right) => a.some((left) => left.name === right.name && impliesOne(left, right)));
}

function impliesOne(a: Condition, b: Condition): boolean {
  return (a.test === 'exact' || a.test === b.test) && a.values.every((value) => holds(b, value));
}

/** `filters` of a Trigger that takes what meets any of `alternatives`, and no event twice. */
export function triggerFilters(alternatives: readonly Conjunction[]): readonly TriggerFilter[] {
  const [first = [], ...others] = alternatives;
  if (others.length === 0) return filtersOf(first);
  const isIn = (condition: Condition, conjunction: Conjunction) =>
    conjunction.some((one) => keyOf(one) === keyOf(condition));
  const common = first.filter((condition) => others.every((other) => isIn(condition, other)));
  const rest = alternatives.map((conjunction) => filtersOf(conjunction.filter((one) => !isIn(one, common))));
  return [...filtersOf(common), { any: rest.map(oneOrAll) }];
}

function oneOrAll(filters: readonly TriggerFilter[]): TriggerFilter {
  const [only, ...more] = filters;
  return only && more.length === 0 ? only : { all: filters };
}

/** One map for each test, and an `any` for each condition of several values. */
function filtersOf(conjunction: Conjunction): TriggerFilter[] {
  const filters: TriggerFilter[] = [];
  for (const test of ['exact', 'prefix', 'suffix'] as const) {
    const single = conjunction.filter((one) => one.test === test && one.values.length === 1);
    if (single.length > 0)
      filters.push({
        [test]: Object.fromEntries(single.map(({ name, values }) => [name, values[0]])),
      });
  }
  for (const { name, test, values } of conjunction.filter((one) => one.values.length > 1))
    filters.push({ any: values.map((value) => ({ [test]: { [name]: value } })) });
  return filters;
}

/** What tells one condition from another; its origin does not. */
export function keyOf({ name, test, values }: Condition): string {
  return JSON.stringify([name, test, values]);
}
