import type { Claim } from '../sources/contract.ts';
import { type AdapterModes, modeOf } from './adapter-mode.ts';
import type { Objects } from './cluster.ts';
import { ownHostOf } from './dedicated-adapter.ts';
import type { SourceObject } from './objects.ts';
import type { OldService } from './old-services.ts';
import { pathOf } from './resources/route.ts';
import { isBlocked } from './step.ts';

/**
 * A webhook is a source's when the path of its URL ends with the source's, whatever scheme and host; or when it is the one
 * upstream's controller made, by the id in status, and still points at one of that controller's adapters. `host`: of the adapter
 * that serves this source alone, whatever the path.
 */
export function claimOf(source: SourceObject, oldServices: readonly Pick<OldService, 'host'>[], host?: string): Claim {
  // Nothing but what is needed: a claim may be kept as long as the source is there.
  const path = pathOf(source);
  const { namespace, name } = source.metadata;
  const webhookIDKey = source.status?.webhookIDKey;
  const oldHosts = oldServices.map(({ host: old }) => old);
  return (hook) => {
    // Most of a list are other sources'; to parse each URL for each of them takes longer than all the rest.
    if (host === undefined && hook.id !== webhookIDKey && !hook.url.includes(path)) return false;
    const url = URL.parse(hook.url);
    if (!url) return false;
    return (
      url.pathname.endsWith(path) ||
      url.host === host ||
      (hook.id === webhookIDKey && isOfUpstream(url, { namespace, name }, oldHosts))
    );
  };
}

/** The host that serves this source alone; undefined: there is none. */
export async function ownHost(
  source: SourceObject,
  { adapter, objects }: { readonly adapter: AdapterModes; readonly objects: Pick<Objects, 'get'> },
): Promise<string | undefined> {
  const mode = modeOf(source, adapter);
  return isBlocked(mode) || mode.done === 'shared' ? undefined : ownHostOf(source, objects);
}

type SourceName = Pick<SourceObject['metadata'], 'namespace' | 'name'>;

/** The adapter of all sources, by its path; or the source's own Knative Service, by its host, also when it is gone. */
function isOfUpstream(url: URL, source: SourceName, oldHosts: readonly (string | undefined)[]): boolean {
  const { namespace, name } = source;
  return url.pathname === `/${namespace}/${name}` || oldHosts.includes(url.host) || isUsualHost(url.hostname, source);
}

const LONGEST_GENERATED_BASE = 58;

/** Knative's domain template is `name.namespace.domain`, and the name was generated from the source's and five characters. */
function isUsualHost(hostname: string, source: SourceName): boolean {
  const [label = '', namespace] = hostname.split('.');
  const base = `${source.name}-`.slice(0, LONGEST_GENERATED_BASE);
  return namespace === source.namespace && label.startsWith(base) && /^[a-z0-9]{5}$/.test(label.slice(base.length));
}
