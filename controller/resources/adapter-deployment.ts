import type { Route } from '../../core/route.ts';
import type { SourceObject } from '../objects.ts';
import {
  adapterContainer,
  type DedicatedSettings,
  HOOKS_PORT,
  INTERNAL_PORT,
  podMetadata,
  podSpecBase,
} from './adapter-pod.ts';
import { type ChildObject, childMetadata, childNameOf, UID_LABEL } from './child.ts';

const ENDING = '-adapter';
const httpGet = (path: string) => ({ path, port: 'internal' });

export function adapterDeploymentName(source: SourceObject): string {
  return childNameOf(source, ENDING);
}

/** The adapter of one source where there is no Knative Serving. How many pods it has is its user's to say. */
export function adapterDeployment(source: SourceObject, route: Route, settings: DedicatedSettings): ChildObject {
  const { nodeSelector, tolerations } = source.spec.adapter ?? {};
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMetadata(source, adapterDeploymentName(source)),
    spec: {
      selector: { matchLabels: { [UID_LABEL]: source.metadata.uid } },
      // The provider is answered all the time.
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: {
        metadata: podMetadata(source, route),
        spec: {
          ...podSpecBase(source),
          ...(nodeSelector && { nodeSelector }),
          ...(tolerations && { tolerations }),
          // It serves on for 5 s (SHUTDOWN_DELAY_MS), then has 15 s to finish what it holds.
          terminationGracePeriodSeconds: 30,
          containers: [{ ...adapterContainer(source, settings), ...portsAndProbes }],
        },
      },
    },
  };
}

/** As in config/adapter. */
const portsAndProbes = {
  ports: [
    { name: 'http', containerPort: HOOKS_PORT },
    { name: 'internal', containerPort: INTERNAL_PORT },
  ],
  startupProbe: { httpGet: httpGet('/healthz'), periodSeconds: 2, failureThreshold: 150 },
  livenessProbe: { httpGet: httpGet('/healthz'), periodSeconds: 10, timeoutSeconds: 3 },
  readinessProbe: { httpGet: httpGet('/readyz'), periodSeconds: 5, timeoutSeconds: 2 },
};

/** Where hooks come in, also at the Service of config/adapter. */
export const HOOKS_SERVICE_PORT = { name: 'http', port: 80 };

/** Whether a Service may be one of these, by its name alone. */
export function isAdapterServiceName(name: string): boolean {
  return name.endsWith(ENDING);
}

/** What an Ingress or HTTPRoute names as its backend. */
export function adapterService(source: SourceObject): ChildObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: childMetadata(source, adapterDeploymentName(source)),
    spec: {
      selector: { [UID_LABEL]: source.metadata.uid },
      ports: [{ ...HOOKS_SERVICE_PORT, targetPort: 'http' }],
    },
  };
}
