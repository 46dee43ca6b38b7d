import type { DesiredHook, ObservedHook } from '../sources/contract.ts';
import type { Announcement } from './cluster.ts';
import type { HookRecord, SourceObject } from './objects.ts';

/** A webhook that was written at the provider just now. */
export interface WrittenHook {
  readonly id: string;
  readonly repository: string;
  readonly desired: DesiredHook;
  /** As it was before; undefined: it was not there. */
  readonly existing: ObservedHook | undefined;
  /** What status said of it before. */
  readonly recorded: HookRecord | undefined;
  readonly source: SourceObject;
  /** Which version of the Secret it has now. */
  readonly secretVersion: string;
}

/** What was done to a webhook, and why. */
export function announcementOf(written: WrittenHook): Announcement {
  const { id, repository, desired, existing, recorded, secretVersion } = written;
  const which = `webhook ${id} of ${repository}`;
  if (!existing && recorded?.id) {
    const message = `webhook ${recorded.id} of ${repository} was gone; made again as ${id}`;
    return { type: 'Warning', reason: 'WebhookRestored', message };
  }
  if (!existing) {
    return { type: 'Normal', reason: 'WebhookCreated', message: `${which} made, with URL ${desired.url}` };
  }
  if (!recorded) return { type: 'Normal', reason: 'WebhookAdopted', message: `${which} found and taken over` };
  if (isMoved(existing, written)) {
    return { type: 'Normal', reason: 'WebhookMoved', message: `${which} moved to ${desired.url}` };
  }
  if (hasDrifted(existing, written)) {
    const message = `${which} was changed at the provider; written as it should be`;
    return { type: 'Warning', reason: 'WebhookRestored', message };
  }
  const isNewSecret = recorded.secretVersion !== secretVersion && existing.isAsDesired(desired);
  const message = `${which} ${isNewSecret ? 'has the new secret' : 'is as the source has it now'}`;
  return { type: 'Normal', reason: 'WebhookUpdated', message };
}

function isMoved(existing: ObservedHook, { desired: { url }, source }: WrittenHook): boolean {
  return existing.url !== url && source.status?.webhookURL !== url;
}

/** Nothing changed here, so it was changed there. */
function hasDrifted(existing: ObservedHook, { desired, source: { metadata, status } }: WrittenHook): boolean {
  return !existing.isAsDesired(desired) && status?.observedGeneration === metadata.generation;
}
