type Attributes = Readonly<Record<string, string>>;

export interface TriggerFilters {
  readonly filter?: { readonly attributes?: Attributes };
  readonly filters?: readonly {
    readonly exact?: Attributes;
    readonly prefix?: Attributes;
    readonly suffix?: Attributes;
  }[];
}

/**
 * Whether a Trigger wants an event, as Knative's does: `filters`, where there are any, take the place of `filter`; all
 * must hold; an attribute that is absent matches nothing; in `filter.attributes` an empty value matches any.
 */
export function isWanted(attributes: Attributes, { filter, filters = [] }: TriggerFilters): boolean {
  if (filters.length === 0) return all(filter?.attributes, (name, value) => value === '' || attributes[name] === value);
  return filters.every(
    ({ exact, prefix, suffix }) =>
      all(exact, (name, value) => attributes[name] === value) &&
      all(prefix, (name, value) => attributes[name]?.startsWith(value) === true) &&
      all(suffix, (name, value) => attributes[name]?.endsWith(value) === true),
  );
}

function all(wanted: Attributes = {}, holds: (name: string, value: string) => boolean): boolean {
  return Object.entries(wanted).every(([name, value]) => holds(name, value));
}
