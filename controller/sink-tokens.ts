import { messageOf } from '../core/errors.ts';
import type { Destination, Route } from '../core/route.ts';
import type { Cluster } from './cluster.ts';
import type { SourceObject } from './objects.ts';
import { ofDeadLetterSink, type ResolvedSinks, type Sinks } from './sink.ts';
import { blocked, FORBIDDEN_RETRY, isBlocked, type Retry, type Step } from './step.ts';
import { lifeOf, type TokenLife } from './token-life.ts';

export interface SinkTokenDeps {
  readonly cluster: Pick<Cluster, 'requestToken'>;
  /** The route that is published. */
  readonly published: () => Promise<Route | undefined>;
  readonly now: () => Date;
}

/** `renewal`: when a token is to be renewed. */
export type AuthorizedSinks = ResolvedSinks & { readonly renewal?: Retry | undefined };

interface SinkToken {
  readonly destination: Destination;
  /** Absent where there is no token, or one that does not say. */
  readonly life?: TokenLife | undefined;
}

const NOT_SENT = { reason: 'TokenNotSent', message: 'the sink has an audience, but local mode sends no OIDC token' };
/** Clocks differ: a token may seem to have ended when it is new. */
const SHORTEST_RETRY_MS = 1000;

/**
 * Sinks that have an audience get a token for it. The one in the published route stays until two thirds of its life have
 * passed: nothing is remembered here. One that cannot be renewed stays until it ends.
 */
export async function authorizeSinks(
  source: SourceObject,
  resolved: ResolvedSinks,
  deps: SinkTokenDeps,
): Promise<AuthorizedSinks> {
  if (isBlocked(resolved)) return resolved;
  const wanted = resolved.done;
  if (wanted.sink.audience === undefined && wanted.deadLetterSink?.audience === undefined) return resolved;
  const published = await deps.published();
  const sink = await authorize(wanted.sink, published?.sink, source, deps);
  if (isBlocked(sink)) return { ...sink, sinkGone: true };
  const last =
    wanted.deadLetterSink && (await authorize(wanted.deadLetterSink, published?.deadLetterSink, source, deps));
  if (last && isBlocked(last)) return ofDeadLetterSink(last);
  return {
    done: { sink: sink.done.destination, deadLetterSink: last && last.done.destination },
    note: sink.note ?? last?.note,
    renewal: renewalOf(last ? [sink.done, last.done] : [sink.done], deps.now()),
  };
}

/** The sinks of the published route, where the wanted ones are not to be had: their tokens are renewed all the same. */
export async function publishedSinks(source: SourceObject, deps: SinkTokenDeps): Promise<Sinks | undefined> {
  const published = await deps.published();
  if (!published?.sink) return undefined;
  const sinks = { sink: published.sink, deadLetterSink: published.deadLetterSink };
  const authorized = await authorizeSinks(source, { done: sinks }, deps);
  if (!isBlocked(authorized)) return authorized.done;
  return authorized.sinkGone ? undefined : sinks;
}

async function authorize(
  destination: Destination,
  published: Destination | null | undefined,
  source: SourceObject,
  { cluster, now }: SinkTokenDeps,
): Promise<Step<SinkToken>> {
  const { audience } = destination;
  if (audience === undefined) return { done: { destination } };
  const known = knownToken(published, audience, now());
  if (known && now().getTime() < known.life.renewal) return { done: withToken(destination, known) };
  try {
    const answer = await cluster.requestToken(source, audience);
    if (answer.found === 'unavailable') return { done: { destination }, note: NOT_SENT };
    if (answer.found === 'token') {
      return { done: withToken(destination, { token: answer.value, life: lifeOf(answer.value, audience) }) };
    }
    const advice = `the controller may request no OIDC token for audience "${audience}": apply config/oidc, or give its ServiceAccount ${answer.rule}`;
    return known ? notRenewed(destination, known, advice) : blocked('TokenForbidden', advice, FORBIDDEN_RETRY);
  } catch (error) {
    if (!known) throw error;
    return notRenewed(destination, known, messageOf(error));
  }
}

interface Token {
  readonly token: string;
  readonly life: TokenLife;
}

/** What is published for this audience and has not ended. */
function knownToken(published: Destination | null | undefined, audience: string, now: Date): Token | undefined {
  const token = published?.token;
  const life = token === undefined ? undefined : lifeOf(token, audience);
  return token !== undefined && life && now.getTime() < life.end ? { token, life } : undefined;
}

function withToken(destination: Destination, { token, life }: Pick<SinkToken, 'life'> & { token: string }): SinkToken {
  return { destination: { ...destination, token }, life };
}

function notRenewed(destination: Destination, known: Token, why: string): Step<SinkToken> {
  const end = new Date(known.life.end).toISOString();
  const message = `the OIDC token of the sink ends at ${end} and could not be renewed: ${why}`;
  return { done: withToken(destination, known), note: { reason: 'TokenNotRenewed', message } };
}

/** Past its renewal, a token is asked for again and again until it ends. */
function renewalOf(sinks: readonly SinkToken[], now: Date): Retry | undefined {
  const lives = sinks.flatMap(({ life }) => life ?? []);
  if (lives.length === 0) return undefined;
  const ms = Math.min(...lives.map(({ renewal }) => renewal)) - now.getTime();
  if (ms > 0) return { when: 'after', ms };
  const untilEnd = Math.min(...lives.map(({ end }) => end)) - now.getTime();
  return { when: 'backoff', longestMs: Math.max(untilEnd, SHORTEST_RETRY_MS) };
}
