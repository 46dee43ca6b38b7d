import { createHash } from 'node:crypto';
import type { Route } from '../../core/route.ts';
import type { SourceObject } from '../objects.ts';
import { adapterRouteName } from './adapter-route.ts';
import { labelsOf } from './child.ts';

/** What all adapters of single sources have in common. */
export interface DedicatedSettings {
  readonly image: string;
  /** Variables of the adapter, by name. */
  readonly env: Readonly<Record<string, string>>;
}

/** Variables that are ours to set: what they say, the pods are made for. */
export const RESERVED_SETTINGS: ReadonlySet<string> = new Set([
  'PORT',
  'INTERNAL_PORT',
  'HOST',
  'ANY_PATH',
  'ROUTES_DIR',
  'ROUTES_NAMESPACE',
]);

export const HOOKS_PORT = 8080;
/** 8090 is the adapter's default, and none of those that queue-proxy holds. */
export const INTERNAL_PORT = 8090;
const ROUTES_DIR = '/etc/headwater/routes';
export const DIGEST_ANNOTATION = 'headwater.dev/route-digest';

/** As in config/adapter. */
const DEFAULT_RESOURCES = { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } };

/** Labels and annotations of the pods: a route that changed gives other pods, which begin with it. */
export function podMetadata(source: SourceObject, route: Route) {
  return { labels: labelsOf(source), annotations: { [DIGEST_ANNOTATION]: digestOf(route) } };
}

/** Of all that a new generation stands for: a renewed token is none, nor the end of a secret that was replaced. */
function digestOf({ secretTokens, sink, deadLetterSink, ...rest }: Route): string {
  const [present] = secretTokens;
  const urls = [sink, deadLetterSink].map((destination) => destination && { ...destination, token: undefined });
  // By its version: whoever may read pods is not to be able to try values of it.
  const counted = { ...rest, urls, secret: present?.version };
  return createHash('sha256').update(JSON.stringify(counted)).digest('hex').slice(0, 16);
}

/** What Knative Serving and Pod Security's `restricted` both take: all of it on the container, nothing on the pod. */
export function adapterContainer({ spec }: SourceObject, { image, env }: DedicatedSettings) {
  const variables = { ...env, ROUTES_DIR, ANY_PATH: 'true' };
  return {
    name: 'adapter',
    image,
    env: Object.entries(variables).map(([name, value]) => ({ name, value })),
    resources: spec.adapter?.resources ?? DEFAULT_RESOURCES,
    volumeMounts: [{ name: 'route', mountPath: ROUTES_DIR, readOnly: true }],
    securityContext: {
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

/** What a pod has beside its container. It has no token: an adapter that reads files needs nothing of the API server. */
export function podSpecBase(source: SourceObject) {
  const { serviceAccountName } = source.spec;
  return {
    ...(serviceAccountName !== undefined && { serviceAccountName }),
    automountServiceAccountToken: false,
    // Its settings are PORT and the like: no variables named after Services beside them.
    enableServiceLinks: false,
    volumes: [{ name: 'route', secret: { secretName: adapterRouteName(source) } }],
  };
}
