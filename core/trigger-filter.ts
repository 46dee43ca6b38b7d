type Attributes = Readonly<Record<string, string>>;

export interface TriggerFilters {
  readonly filter?: { readonly attributes?: Attributes };
  readonly filters?: readonly {
    readonly exact?: Attributes;
    readonly prefix?: Attributes;
    readonly suffix?: Attributes;
  }[];
}

/** Attributes that CloudEvents names are there for Knative, though they be empty. */
const ALWAYS_THERE: ReadonlySet<string> = new Set(['subject', 'time', 'datacontenttype']);

/**
 * Whether a Trigger wants an event, as Knative's does: `filters`, where there are any, take the place of `filter`; all
 * must hold; an attribute that is absent matches nothing; in `filter.attributes` an empty value matches any.
 */
export function isWanted(attributes: Attributes, { filter, filters = [] }: TriggerFilters): boolean {
  const valueOf = (name: string) =>
    Object.hasOwn(attributes, name) ? attributes[name] : ALWAYS_THERE.has(name) ? '' : undefined;
  if (filters.length === 0)
    return all(filter?.attributes, (name, wanted) => {
      const value = valueOf(name);
      return value !== undefined && (wanted === '' || wanted === value);
    });
  return filters.every(
    ({ exact, prefix, suffix }) =>
      all(exact, (name, value) => valueOf(name) === value) &&
      all(prefix, (name, value) => valueOf(name)?.startsWith(value) === true) &&
      all(suffix, (name, value) => valueOf(name)?.endsWith(value) === true),
  );
}

function all(wanted: Attributes = {}, holds: (name: string, value: string) => boolean): boolean {
  return Object.entries(wanted).every(([name, value]) => holds(name, value));
}
