import type { Facts } from './facts.ts';
import { recordFor } from './hook-records.ts';
import type { Condition, SourceObject, SourceStatus } from './objects.ts';
import { serviceAccountNameOf } from './resources/service-account.ts';
import { isBlocked, type Step } from './step.ts';
import { wasLeftAside } from './step-aside.ts';

/** In the order they come true. `Ready` sums them up. */
export const CONDITIONS = ['SecretsProvided', 'SinkProvided', 'Deployed', 'WebhookConfigured'] as const;
type Judgement = Omit<Condition, 'lastTransitionTime'>;

/** What the status of a source says after a look at it. Pure; the one place where status is made. */
export function computeStatus(source: SourceObject, facts: Facts, now: Date): SourceStatus {
  const { metadata, status: previous = {} } = source;
  const isSameSpec = previous.observedGeneration === metadata.generation;
  const steps = [facts.secrets, facts.sinks, facts.deployed, facts.webhook];
  const before = isSameSpec ? previous : {};
  const judged = CONDITIONS.map((type, index) => {
    const isStale = type === 'WebhookConfigured' && mayBeAnotherWebhook(source, facts);
    return judgementOf(type, steps[index], isStale ? {} : before);
  });
  return {
    ...ofEarlierSteps(source, facts),
    observedGeneration: metadata.generation,
    conditions: transitions(previous, [...judged, summaryOf(judged)], now),
    ceAttributes: facts.plan.ceTypes.map((type) => ({ type, source: facts.plan.eventSource })),
  };
}

/** What was said of the webhook is of another URL, or of before another controller served the source. */
function mayBeAnotherWebhook(source: SourceObject, { webhookURL }: Facts): boolean {
  return (webhookURL !== undefined && webhookURL !== source.status?.webhookURL) || wasLeftAside(source);
}

/** A source that is being deleted and cannot go yet. */
export function deletionStatus(source: SourceObject, message: string, now: Date): SourceStatus {
  const { metadata, status: previous = {} } = source;
  const fault: Judgement = { type: 'WebhookConfigured', status: 'False', reason: 'WebhookDeletionFailed', message };
  const judged = CONDITIONS.map((type) => (type === fault.type ? fault : judgementOf(type, undefined, previous)));
  return {
    ...previous,
    observedGeneration: metadata.generation,
    conditions: transitions(previous, [...judged, { ...fault, type: 'Ready' }], now),
  };
}

/** A step that was not come to says what it said before, of the same spec; else nobody knows. */
function judgementOf(type: string, step: Step<unknown> | undefined, previous: SourceStatus): Judgement {
  if (step === undefined) {
    const said = previous.conditions?.find((condition) => condition.type === type);
    if (!said) return { type, status: 'Unknown' };
    const { lastTransitionTime: _since, ...judgement } = said;
    return judgement;
  }
  if (!isBlocked(step)) return { type, status: 'True', ...step.note };
  const { status, reason, message } = step.blocked;
  return { type, status, reason, message };
}

/** True when all are; else as the first that is False, or else as the first Unknown that says why. */
function summaryOf(judged: readonly Judgement[]): Judgement {
  const unknown = judged.filter(({ status }) => status === 'Unknown');
  const worst = judged.find(({ status }) => status === 'False') ?? unknown.find(({ reason }) => reason) ?? unknown[0];
  return { ...worst, type: 'Ready', status: worst?.status ?? 'True' };
}

function transitions({ conditions = [] }: SourceStatus, judged: readonly Judgement[], now: Date): readonly Condition[] {
  return judged.map((judgement) => {
    const before = conditions.find(({ type }) => type === judgement.type);
    const since = before?.status === judgement.status ? before.lastTransitionTime : now.toISOString();
    return { ...judgement, lastTransitionTime: since };
  });
}

/** A webhook that is there points where it did until it is written. */
function webhookUrlOf(source: SourceObject, facts: Facts): string | undefined {
  const { status = {} } = source;
  const isWritten = facts.webhook !== undefined && !isBlocked(facts.webhook);
  const present = recordFor(facts.plan, { status: { hooks: facts.hooks ?? status.hooks ?? [] } })?.id;
  const isKept = !('webhookURL' in facts) || (Boolean(present) && !isWritten);
  return isKept ? (status.webhookURL ?? facts.webhookURL) : facts.webhookURL;
}

/** What was found out this time, or else before. */
function ofEarlierSteps(source: SourceObject, facts: Facts): SourceStatus {
  const { status: previous = {} } = source;
  const { sinks, hooks = previous.hooks ?? [] } = facts;
  const webhookURL = webhookUrlOf(source, facts);
  const manualHook = facts.hooks ? facts.manualHook : (facts.manualHook ?? previous.manualHook);
  // That of upstream's webhook has no record.
  const id = facts.hooks ? facts.hooks[0]?.id : previous.webhookIDKey;
  return {
    ...(sinks === undefined ? sinkFieldsOf(previous) : sinkFieldsFrom(sinks)),
    ...authOf(source, sinks),
    ...(webhookURL !== undefined && { webhookURL }),
    ...(id && { webhookIDKey: id }),
    ...(hooks.length > 0 && { hooks }),
    ...(manualHook !== undefined && { manualHook }),
  };
}

function sinkFieldsOf(status: SourceStatus): SourceStatus {
  const { sinkUri, sinkCACerts, sinkAudience, deadLetterSinkUri } = status;
  return {
    ...(sinkUri !== undefined && { sinkUri }),
    ...(sinkCACerts !== undefined && { sinkCACerts }),
    ...(sinkAudience !== undefined && { sinkAudience }),
    ...(deadLetterSinkUri !== undefined && { deadLetterSinkUri }),
  };
}

/** The identity events are sent with; policies are made for it, so it outlives a sink that is gone for a while. */
function authOf(source: SourceObject, sinks: Facts['sinks']): Pick<SourceStatus, 'auth'> {
  const previous = source.status?.auth;
  if (sinks === undefined || isBlocked(sinks)) return previous ? { auth: previous } : {};
  const { sink, deadLetterSink } = sinks.done;
  const hasToken = sink.token !== undefined || deadLetterSink?.token !== undefined;
  return hasToken ? { auth: { serviceAccountName: serviceAccountNameOf(source) } } : {};
}

/** A sink that is gone has no URL. */
function sinkFieldsFrom(sinks: NonNullable<Facts['sinks']>): SourceStatus {
  if (isBlocked(sinks)) return {};
  const { sink, deadLetterSink } = sinks.done;
  return sinkFieldsOf({
    sinkUri: sink.url,
    ...(sink.CACerts !== undefined && { sinkCACerts: sink.CACerts }),
    ...(sink.audience !== undefined && { sinkAudience: sink.audience }),
    ...(deadLetterSink && { deadLetterSinkUri: deadLetterSink.url }),
  });
}
