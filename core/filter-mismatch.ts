import { isWanted, type TriggerFilter, type TriggerFilters } from './trigger-filter.ts';

type Attributes = Readonly<Record<string, string>>;

/** A condition of a Trigger that an event does not meet. */
export interface Mismatch {
  /** The attribute; `cesql` for an expression. */
  readonly name: string;
  /** What is asked for: a value, `a…` for a beginning, `…a` for an end, `not a`, an expression. */
  readonly wanted: string;
  /** undefined: the event has no such attribute. */
  readonly found: string | undefined;
  /** Whether one of several that would do; none of them is met. */
  readonly isAlternative: boolean;
}

/** Why a Trigger does not want an event; empty where it does (see isWanted). */
export function mismatchesOf(attributes: Attributes, { filter, filters = [] }: TriggerFilters): readonly Mismatch[] {
  const found = (name: string) => (Object.hasOwn(attributes, name) ? attributes[name] : undefined);
  const isMet = (one: TriggerFilter) => isWanted(attributes, { filters: [one] });
  const mismatch = (name: string, wanted: string, isAlternative: boolean): Mismatch => ({
    name,
    wanted,
    found: found(name),
    isAlternative,
  });
  const within = (one: TriggerFilter, isAlternative: boolean): Mismatch[] => {
    if (isMet(one)) return [];
    const { exact = {}, prefix = {}, suffix = {}, all = [], any = [], not, cesql } = one;
    const unmet = (dialect: 'exact' | 'prefix' | 'suffix', wanted: Attributes, text: (value: string) => string) =>
      Object.entries(wanted)
        .filter(([name, value]) => !isMet({ [dialect]: { [name]: value } }))
        .map(([name, value]) => mismatch(name, text(value), isAlternative));
    return [
      ...unmet('exact', exact, (value) => value),
      ...unmet('prefix', prefix, (value) => `${value}…`),
      ...unmet('suffix', suffix, (value) => `…${value}`),
      ...all.flatMap((inner) => within(inner, isAlternative)),
      ...any.flatMap((inner) => within(inner, isAlternative || any.length > 1)),
      ...(not ? conditionsIn(not).map(([name, text]) => mismatch(name, `not ${text}`, isAlternative)) : []),
      ...(cesql === undefined ? [] : [mismatch('cesql', cesql, isAlternative)]),
    ];
  };
  if (filters.length > 0) return filters.flatMap((one) => within(one, false));
  return Object.entries(filter?.attributes ?? {})
    .filter(([name, value]) => !isWanted(attributes, { filter: { attributes: { [name]: value } } }))
    .map(([name, value]) => mismatch(name, value === '' ? 'any value' : value, false));
}

/** Of what is negated: all of it, since it holds. */
function conditionsIn({
  exact = {},
  prefix = {},
  suffix = {},
  all = [],
  any = [],
  not,
  cesql,
}: TriggerFilter): [string, string][] {
  return [
    ...Object.entries(exact),
    ...Object.entries(prefix).map(([name, value]): [string, string] => [name, `${value}…`]),
    ...Object.entries(suffix).map(([name, value]): [string, string] => [name, `…${value}`]),
    ...[...all, ...any].flatMap(conditionsIn),
    ...(not ? conditionsIn(not).map(([name, text]): [string, string] => [name, `not ${text}`]) : []),
    ...(cesql === undefined ? [] : ([['cesql', cesql]] satisfies [string, string][])),
  ];
}
