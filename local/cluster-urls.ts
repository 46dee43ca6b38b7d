import type { ObjectReference } from '../controller/objects.ts';
import { BROKER, CHANNEL, IN_MEMORY_CHANNEL, KNATIVE_SERVICE, SERVICE } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';

const HOST = /^([a-z0-9-]+)\.([a-z0-9-]+)\.svc(\.cluster\.local)?$/;
const BROKER_PATH = /^\/([a-z0-9-]+)\/([a-z0-9-]+)\/?$/;

/**
 * A URL by which a Broker, Channel or Service is reached in a cluster, as the one where it is on this machine. Any other
 * text, and that of what is not here, stays as it is.
 */
export function localUrlOf(text: string, cluster: MemoryCluster): string {
  const url = /^https?:\/\//.test(text) ? URL.parse(text) : null;
  const [, host = '', namespace = ''] = HOST.exec(url?.hostname ?? '') ?? [];
  if (!url || host === '') return text;
  const addressOf = (reference: ObjectReference | undefined) => {
    const { address }: { address?: { url?: string } } = (reference && cluster.find(reference)?.status) ?? {};
    return address?.url;
  };
  const hub = hubsAt(host, namespace, url.pathname).map(addressOf).find(Boolean);
  if (hub !== undefined) return hub;
  const service = [SERVICE, KNATIVE_SERVICE].map((kind) => addressOf({ ...kind, namespace, name: host })).find(Boolean);
  return service === undefined ? text : new URL(`${url.pathname}${url.search}`, service).href;
}

/** What Knative's brokers and channels call themselves: one ingress for all, with a path; or one each, with a name. */
function hubsAt(host: string, namespace: string, path: string): ObjectReference[] {
  const [, ofPath, named] = BROKER_PATH.exec(path) ?? [];
  if (/(^|-)broker-ingress$/.test(host) && ofPath !== undefined && named !== undefined)
    return [{ ...BROKER, namespace: ofPath, name: named }];
  const [, name, what] = /^(.+)-(broker-ingress|kn-channel)$/.exec(host) ?? [];
  if (name === undefined || path !== '/') return [];
  const kinds = what === 'kn-channel' ? [CHANNEL, IN_MEMORY_CHANNEL] : [BROKER];
  return kinds.map((kind) => ({ ...kind, namespace, name }));
}
