import { closestTo } from './closest.ts';
import type { Fault, Path } from './schema.ts';

type Attributes = Readonly<Record<string, string>>;

/** One filter of a Trigger's `filters`, in one of these dialects. */
export interface TriggerFilter {
  readonly exact?: Attributes;
  readonly prefix?: Attributes;
  readonly suffix?: Attributes;
  readonly all?: readonly TriggerFilter[];
  readonly any?: readonly TriggerFilter[];
  readonly not?: TriggerFilter;
  /** CloudEvents SQL, which is not evaluated here: npm has no library for it. */
  readonly cesql?: string;
}

export interface TriggerFilters {
  readonly filter?: { readonly attributes?: Attributes };
  readonly filters?: readonly TriggerFilter[];
}

/** Attributes that CloudEvents names are there for Knative, though they be empty. */
const ALWAYS_THERE: ReadonlySet<string> = new Set(['subject', 'time', 'datacontenttype']);

/**
 * Whether a Trigger wants an event, as Knative's does: `filters`, where there are any, take the place of `filter`; all
 * must hold; an attribute that is absent matches nothing; in `filter.attributes` an empty value matches any. One with
 * `cesql` wants none.
 */
export function isWanted(attributes: Attributes, { filter, filters = [] }: TriggerFilters): boolean {
  const valueOf = (name: string) =>
    Object.hasOwn(attributes, name) ? attributes[name] : ALWAYS_THERE.has(name) ? '' : undefined;
  if (filters.length > 0) return !filters.some(usesCesql) && holds({ all: filters }, valueOf) !== false;
  return every(filter?.attributes, (name, wanted) => {
    const value = valueOf(name);
    return value !== undefined && (wanted === '' || wanted === value);
  });
}

/** Whether an expression in CloudEvents SQL is somewhere in it. */
export function usesCesql({ cesql, all = [], any = [], not }: TriggerFilter): boolean {
  return cesql !== undefined || [...all, ...any, ...(not ? [not] : [])].some(usesCesql);
}

/** undefined: an empty filter, which says nothing, wherever it stands. */
function holds(filter: TriggerFilter, valueOf: (name: string) => string | undefined): boolean | undefined {
  const { exact, prefix, suffix, all, any, not } = filter;
  const ask = (filters: readonly TriggerFilter[] = []) =>
    filters.map((one) => holds(one, valueOf)).filter((answer) => answer !== undefined);
  if (!isEmpty(exact)) return every(exact, (name, value) => valueOf(name) === value);
  if (!isEmpty(prefix)) return every(prefix, (name, value) => valueOf(name)?.startsWith(value) === true);
  if (!isEmpty(suffix)) return every(suffix, (name, value) => valueOf(name)?.endsWith(value) === true);
  const [first, ...others] = ask(all ?? any ?? (not && [not]));
  if (first === undefined) return undefined;
  if (not) return !first;
  return all ? first && others.every(Boolean) : first || others.some(Boolean);
}

function isEmpty(attributes: Attributes = {}): boolean {
  return Object.keys(attributes).length === 0;
}

function every(wanted: Attributes = {}, matches: (name: string, value: string) => boolean): boolean {
  return Object.entries(wanted).every(([name, value]) => matches(name, value));
}

const ON_ATTRIBUTES = ['exact', 'prefix', 'suffix'];
const ON_FILTERS = ['all', 'any'];
const DIALECTS = [...ON_ATTRIBUTES, ...ON_FILTERS, 'not', 'cesql'];
const NAME = /^[a-z][a-z0-9]*$/;

/** What Knative's admission webhook refuses in `filters`: filters nest, which a structural schema cannot say. */
export function filterFaults(filters: readonly object[], path: Path): Fault[] {
  return filters.flatMap((filter, index) => faultsOf(filter, [...path, index]));
}

function faultsOf(filter: unknown, path: Path): Fault[] {
  if (!isObject(filter)) return [{ path, message: 'a filter is an object such as {exact: {type: …}}' }];
  const entries = Object.entries(filter);
  if (entries.length > 1) {
    const names = entries.map(([name]) => name).join(', ');
    return [{ path, message: `a filter has one dialect, not ${names}: make it several filters, which must all hold` }];
  }
  return entries.flatMap(([name, value]) => {
    const at = [...path, name];
    if (!DIALECTS.includes(name)) return [{ path: at, message: unknownDialect(name) }];
    if (ON_ATTRIBUTES.includes(name)) return attributeFaults(value, at);
    if (name === 'not') return faultsOf(value, at);
    if (name === 'cesql') return typeof value === 'string' ? [] : [{ path: at, message: 'cesql is a text' }];
    return Array.isArray(value)
      ? filterFaults(value as object[], at)
      : [{ path: at, message: `${name} is a list of filters` }];
  });
}

function unknownDialect(name: string): string {
  const close = closestTo(name, DIALECTS);
  const hint = close === undefined ? `known are ${DIALECTS.join(', ')}` : `did you mean ${close}?`;
  return `there is no filter dialect ${name}; ${hint}`;
}

function attributeFaults(value: unknown, path: Path): Fault[] {
  if (!isObject(value)) return [{ path, message: 'it maps names of attributes to texts' }];
  return Object.entries(value).flatMap(([name, text]) => {
    const at = [...path, name];
    if (!NAME.test(name)) return [{ path: at, message: `${name} is no name of an attribute: those are of [a-z0-9]` }];
    return typeof text === 'string' && text !== '' ? [] : [{ path: at, message: `${name} must be a text, not empty` }];
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
