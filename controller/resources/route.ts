import { isDeepStrictEqual } from 'node:util';
import { ATTRIBUTE_NAME, REQUIRED_ATTRIBUTES, RESERVED_ATTRIBUTES } from '../../core/cloud-event.ts';
import type { Destination, Route, SecretToken } from '../../core/route.ts';
import type { SourcePlan } from '../../sources/contract.ts';
import type { SourceObject } from '../objects.ts';
import type { SecretValue } from '../secrets.ts';
import type { Sinks } from '../sink.ts';
import { lifeOf } from '../token-life.ts';

export function pathOf({ metadata: { uid } }: SourceObject): string {
  return `/hooks/${uid}`;
}

/** The route of a source but for its generation, which counts what adapters have to follow before the source is ready. */
export function routeOf(
  source: SourceObject,
  plan: SourcePlan,
  sinks: Sinks,
  secretTokens: readonly SecretToken[],
): Omit<Route, 'generation'> {
  const { kind, metadata, spec } = source;
  const { deadLetterSink: _resolved, ...delivery } = spec.delivery ?? {};
  return {
    version: 1,
    uid: metadata.uid,
    kind,
    namespace: metadata.namespace,
    name: metadata.name,
    path: pathOf(source),
    eventSource: plan.eventSource,
    secretTokens,
    sink: sinks.sink,
    deadLetterSink: sinks.deadLetterSink,
    eventTypes: plan.eventTypes,
    ceOverrides: { extensions: Object.fromEntries(overridesOf(source).usable) },
    delivery,
    eventFormat: spec.eventFormat ?? 'knative',
    provider: plan.provider,
  };
}

/** Knative's SDK writes names of extensions in lower case; what then can be no extension of CloudEvents 1.0 is not sent. `why`: after its name. */
export function overridesOf({ spec }: Pick<SourceObject, 'spec'>) {
  const named = Object.entries(spec.ceOverrides?.extensions ?? {}).map(
    ([name, value]) => [name, name.toLowerCase(), value] as const,
  );
  return {
    usable: named.filter(([, name]) => !faultOf(name)).map(([, name, value]) => [name, value] as const),
    unusable: named.flatMap(([name, lower]) => {
      const why = faultOf(lower);
      return why === undefined ? [] : [{ name, why }];
    }),
  };
}

function faultOf(name: string): string | undefined {
  if (!ATTRIBUTE_NAME.test(name)) return 'has other characters than letters and digits';
  if (REQUIRED_ATTRIBUTES.has(name)) return 'is what every event has of its own';
  return RESERVED_ATTRIBUTES.has(name) ? 'is of the data, which is sent as it came' : undefined;
}

/**
 * The secrets to accept: the present one, and those it replaced. Those go `overlapMs` after the provider has the present
 * one (`confirmed`), never before. A value that did not change keeps the version it was first read at.
 */
export function secretTokensOf(
  { value, version }: SecretValue,
  published: readonly SecretToken[],
  { confirmed, overlapMs, now }: { confirmed: boolean; overlapMs: number; now: Date },
): readonly SecretToken[] {
  const validUntil = new Date(now.getTime() + overlapMs).toISOString();
  const replaced = published
    .filter((token) => token.value !== value && !(token.validUntil && Date.parse(token.validUntil) <= now.getTime()))
    .map((token) => (confirmed && !token.validUntil ? { ...token, validUntil } : token));
  const known = published.find((token) => token.value === value);
  return [{ value, version: known?.version ?? version }, ...replaced];
}

/**
 * Whether nobody needs to wait until adapters have it: nothing differs but OIDC tokens, while those that were published are
 * good, and secrets that were replaced, whose end every adapter keeps by itself once it is told.
 */
export function isQuietChange(published: Route, wanted: Route, now: Date): boolean {
  const { sink, deadLetterSink } = published;
  return [sink, deadLetterSink].every((one) => isGood(one, now)) && isDeepStrictEqual(bare(published), bare(wanted));
}

function isGood(destination: Destination | null, now: Date): boolean {
  const { token, audience } = destination ?? {};
  if (audience === undefined) return true;
  const life = token === undefined ? undefined : lifeOf(token, audience);
  return life !== undefined && now.getTime() < life.end;
}

function bare(route: Route): Route {
  const without = (destination: Destination | null) => destination && { ...destination, token: undefined };
  const secretTokens = route.secretTokens.slice(0, 1);
  return { ...route, secretTokens, sink: without(route.sink), deadLetterSink: without(route.deadLetterSink) };
}
