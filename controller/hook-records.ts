import type { SourcePlan } from '../sources/contract.ts';
import { conditionOf, type HookRecord, type SourceObject } from './objects.ts';
import { wasLeftAside } from './step-aside.ts';

/** Whether both are the same place: providers pass over case, and a slash at the end. */
function isSamePlace(one: { api: string; repository: string }, other: { api: string; repository: string }): boolean {
  const bare = ({ api, repository }: { api: string; repository: string }) =>
    `${api} ${repository.replace(/\/+$/, '')}`.toLowerCase();
  return bare(one) === bare(other);
}

/** What status says of the webhook that should be. */
export function recordFor(
  { hook }: Pick<SourcePlan, 'hook'>,
  { status }: Pick<SourceObject, 'status'>,
): HookRecord | undefined {
  return status?.hooks?.find((record) => isSamePlace(record, hook));
}

export interface DesiredRecord {
  readonly plan: Pick<SourcePlan, 'hook'>;
  readonly source: SourceObject;
  readonly url: string;
  /** Of the Secret, as it is now. */
  readonly secretVersion: string;
}

/** What status says of the webhook that should be, where that is: the provider had it, by this very spec, URL and secret. */
export function rightRecord({ plan, source, url, secretVersion }: DesiredRecord): HookRecord | undefined {
  const { metadata, status } = source;
  const isRight =
    status?.observedGeneration === metadata.generation &&
    status.webhookURL === url &&
    conditionOf(source, 'WebhookConfigured')?.status === 'True' &&
    !wasLeftAside(source);
  const record = recordFor(plan, source);
  return isRight && record?.secretVersion === secretVersion ? record : undefined;
}

/** The webhooks on record that should not be any more: of an earlier owner, repository or API. `present` is never one of them. */
export function oldRecords(
  { plan, source }: { readonly plan: Pick<SourcePlan, 'hook'>; readonly source: Pick<SourceObject, 'status'> },
  present: HookRecord,
): readonly HookRecord[] {
  const isPresent = (record: HookRecord) =>
    record.id === present.id && new URL(record.api).host === new URL(present.api).host;
  return (source.status?.hooks ?? []).filter((record) => !isSamePlace(record, plan.hook) && !isPresent(record));
}
