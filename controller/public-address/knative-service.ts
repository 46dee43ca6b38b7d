import type { KubeObject } from '../objects.ts';
import { blocked, type Step } from '../step.ts';

interface Addressed {
  readonly status?: { readonly url?: string; readonly address?: { readonly url?: string } };
}

const VISIBILITY = 'networking.knative.dev/visibility';

/** The URL of a Knative Service. A cluster-local one is none: its host is that of the Service inside of the cluster. */
export function knativeServiceUrl(service: KubeObject): Step<string> {
  const { status = {} } = service as Addressed;
  const url = URL.parse(status.url ?? '');
  const name = `Knative Service ${service.metadata.name}`;
  if (!url) return blocked('NoPublicAddress', `${name} has no URL yet`, { when: 'changed' }, 'Unknown');
  const isLocal =
    service.metadata.labels?.[VISIBILITY] === 'cluster-local' ||
    /\.svc(\.|$)/.test(url.hostname) ||
    url.host === URL.parse(status.address?.url ?? '')?.host;
  if (!isLocal) return { done: url.href };
  const message = `${name} has a URL inside of the cluster alone: remove its label ${VISIBILITY}, or give Knative Serving a domain (ConfigMap config-domain)`;
  return blocked('NoPublicAddress', message);
}
