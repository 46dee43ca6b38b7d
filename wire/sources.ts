import { didYouMean } from '../core/closest.ts';
import type { Place, Problem } from '../core/problem.ts';
import { type Path, type SchemaNode, validatorOf } from '../core/schema.ts';
import type { SourceDefinition, SpecDefinition } from '../sources/contract.ts';
import { objectKindOf } from '../sources/crd.ts';
import type { CommonSpec } from '../sources/fields.ts';
import type { SourceConfig } from './config.ts';
import { type Oddity, oddityAt, problemAt } from './definition-text.ts';
import type { SourceAttribute, SourceEvent, WiredSource } from './model.ts';

export interface SourceContext {
  readonly definitions: readonly SourceDefinition[];
  readonly namespace: string;
  /** Of the source's entry in wire.yaml. */
  readonly placeOf: (path: Path) => Place;
}

/** What `plan` sets by itself. */
const NOT_WRITTEN = ['sink', 'eventTypes'];

/** The source object an entry of wire.yaml stands for, or what is wrong with the entry. */
export async function wiredSource(
  config: SourceConfig,
  { definitions, namespace, placeOf }: SourceContext,
): Promise<{ source?: WiredSource; problems: readonly Problem[]; warnings: readonly Oddity[] }> {
  const definition = definitions.find(({ kind }) => kind === config.kind);
  if (!definition) return { problems: [unknownKind(config.kind, definitions, placeOf(['kind']))], warnings: [] };
  const provider = await definition.loadSpec();
  const spec = { ...provider.specFor(config.repository, config.secret), ...config.spec };
  const problems = problemsOf(config, spec, provider, placeOf);
  if (problems.length > 0) return { problems, warnings: [] };
  const { eventTypes = [] } = config;
  const plan = provider.planOf({ ...spec, eventTypes });
  const source: WiredSource = {
    ...objectKindOf(definition),
    name: config.name ?? nameFrom(config.repository),
    namespace,
    spec,
    eventSource: plan.eventSource,
    eventTypes,
    fixed: config.fixed === true,
    constants: provider.constantsOf(spec),
    events: provider.eventNames.map((eventType) => eventOf(eventType, definition, provider, overridesIn(spec))),
    place: placeOf([]),
  };
  const warnings = plan.warnings.map((message) => oddityAt(placeOf(['eventTypes']), message));
  return { source, problems: plan.problems.map((message) => problemAt(placeOf(['repository']), message)), warnings };
}

function unknownKind(kind: string, definitions: readonly SourceDefinition[], place: Place): Problem {
  const known = definitions.map((definition) => definition.kind);
  const hint = didYouMean(kind, known) || `; known are ${known.join(', ')}`;
  return problemAt(place, `there is no source of kind ${kind}${hint}`);
}

/** The spec is held against the kind's own schema, with what `plan` will add. */
function problemsOf(
  config: SourceConfig,
  spec: Readonly<Record<string, unknown>>,
  { schema, eventNames }: SpecDefinition,
  placeOf: (path: Path) => Place,
): Problem[] {
  const written = NOT_WRITTEN.filter((name) => Object.hasOwn(config.spec ?? {}, name));
  if (written.length > 0)
    return written.map((name) => {
      const why = name === 'sink' ? 'the Broker is the sink' : 'write it beside spec: what workflows consume is added';
      return problemAt(placeOf(['spec', name]), `spec.${name} is not written here; ${why}`);
    });
  const whole = {
    ...spec,
    sink: { uri: 'http://broker.invalid/' },
    eventTypes: config.eventTypes ?? eventNames.slice(0, 1),
  };
  // JSON as it is: typebox keeps things of its own in its schemas.
  const validate = validatorOf(JSON.parse(JSON.stringify(schema)) as SchemaNode);
  return validate(whole).map(({ path, message }) => {
    const isOwn = Object.hasOwn(config.spec ?? {}, String(path[0]));
    const hint = config.secret === undefined && !isOwn ? '; name a Secret (secret), or write the field below spec' : '';
    return problemAt(placeOf(isOwn ? ['spec', ...path] : path), message + hint);
  });
}

/** Extensions that are the same on every event, whatever the provider says. */
function overridesIn(spec: Partial<Pick<CommonSpec, 'ceOverrides'>>): readonly string[] {
  return Object.keys(spec.ceOverrides?.extensions ?? {});
}

function eventOf(
  eventType: string,
  { alwaysDelivered }: SourceDefinition,
  provider: SpecDefinition,
  overridden: readonly string[],
): SourceEvent {
  const { correlation } = provider;
  const set = (name: string, rest: Partial<SourceAttribute>): SourceAttribute => ({
    name,
    member: undefined,
    always: false,
    isCorrelation: false,
    ...rest,
  });
  const own = provider.attributesOf(eventType).map(({ name, ...rest }) => set(name, rest));
  if (correlation?.eventTypes.includes(eventType)) own.push(set(correlation.extension, { isCorrelation: true }));
  const attributes = own.filter(({ name }) => !overridden.includes(name));
  attributes.push(...overridden.map((name) => set(name, { always: true })));
  return { eventType, type: provider.ceTypeOf(eventType), always: alwaysDelivered.has(eventType), attributes };
}

/** A DNS label of what people write; `acme/Web.Shop` becomes `acme-web-shop`. */
export function nameFrom(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '');
  return name.slice(0, 63).replace(/-+$/, '') || 'unnamed';
}
