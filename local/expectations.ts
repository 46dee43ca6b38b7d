import type { KubeObject } from '../controller/objects.ts';
import { nameOf, referenceTo } from '../controller/objects.ts';
import { conditionsOf } from './observed-objects.ts';
import type { PlayedDelivery } from './playback.ts';

/** What `--once` waits for. */
export interface Observed {
  /** Files with faults. */
  readonly faulty: readonly string[];
  readonly sources: readonly KubeObject[];
  /** undefined: nothing is played, the provider is the real one. */
  readonly played: readonly PlayedDelivery[] | undefined;
  /** The SHA-256 of the data of each event the dumper received, by id. */
  readonly received: ReadonlyMap<string, string>;
}

/** What is missing, a sentence each: files with faults; sources not ready; where deliveries are played, those the dumper did not get as they were. */
export function missingIn({ faulty, sources, played, received }: Observed): string[] {
  const missing = faulty.map((file) => `${file} has faults`);
  if (sources.length === 0) missing.push('there is no source in the manifests');
  for (const source of sources) {
    const name = nameOf(referenceTo(source));
    const ready = conditionsOf(source).find(({ type }) => type === 'Ready');
    if (ready?.status !== 'True')
      missing.push(`${name} is not ready${ready?.reason ? `: ${ready.reason}: ${ready.message}` : ''}`);
    if (played) missing.push(...missingDeliveries(name, source.metadata.uid, played, received));
  }
  return missing;
}

function missingDeliveries(
  name: string,
  uid: string,
  played: readonly PlayedDelivery[],
  received: Observed['received'],
): string[] {
  const own = played.filter(({ url }) => url.endsWith(`/hooks/${uid}`));
  const missing: string[] = [];
  if (!own.some(({ eventType }) => eventType === 'ping'))
    missing.push(`no ping was sent to ${name}: it has no webhook`);
  else if (own.length === 1) missing.push(`no recorded event was sent to ${name}`);
  for (const { eventType, id, sha256, answer } of own) {
    const what = `${eventType} (delivery ${id}, ${answer === undefined ? 'not answered' : `answered ${answer}`})`;
    if (!received.has(id)) missing.push(`${what} was not received by the dumper`);
    else if (received.get(id) !== sha256) missing.push(`${what} was changed on its way to the dumper`);
    else if (answer === undefined) missing.push(`${what} was received by the dumper, but not answered`);
  }
  return missing;
}
