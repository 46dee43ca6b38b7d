import type { Route } from '../../core/route.ts';
import type { SourceObject } from '../objects.ts';
import { adapterContainer, type DedicatedSettings, HOOKS_PORT, podMetadata, podSpecBase } from './adapter-pod.ts';
import { type ChildObject, childMetadata, childNameOf } from './child.ts';

const AUTOSCALING = 'autoscaling.knative.dev/';
/** A provider waits some seconds for its reply, and a start from nothing may take longer. */
const MIN_SCALE = { [`${AUTOSCALING}min-scale`]: '1' };

/** Fields of a pod that Serving admits only where its `config-features` says so. */
const PLACEMENT = { nodeSelector: 'kubernetes.podspec-nodeselector', tolerations: 'kubernetes.podspec-tolerations' };

export function knativeServiceName(source: SourceObject): string {
  return childNameOf(source);
}

/**
 * The adapter of one source where there is Knative Serving. Serving's webhook admits one port, no probe at another one that
 * every version of it would honour, and sets PORT itself; its own probe, whether the port is open, is as good: the adapter
 * opens it when it has read its route.
 */
export function adapterKnativeService(
  source: SourceObject,
  route: Route,
  settings: DedicatedSettings,
  features: ReadonlyMap<string, string>,
): ChildObject {
  const { labels, annotations } = podMetadata(source, route);
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Service',
    metadata: childMetadata(source, knativeServiceName(source)),
    spec: {
      template: {
        metadata: { labels, annotations: { ...MIN_SCALE, ...scalingOf(source), ...annotations } },
        spec: {
          ...podSpecBase(source),
          ...admittedPlacement(source, features),
          containers: [{ ...adapterContainer(source, settings), ports: [{ containerPort: HOOKS_PORT }] }],
        },
      },
    },
  };
}

/** A user chooses another scale by Serving's own annotations, on the source. */
function scalingOf({ metadata: { annotations = {} } }: SourceObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => name.startsWith(AUTOSCALING)));
}

function admittedPlacement({ spec }: SourceObject, features: ReadonlyMap<string, string>): object {
  const { nodeSelector, tolerations } = spec.adapter ?? {};
  return {
    ...(nodeSelector && isAdmitted('nodeSelector', features) && { nodeSelector }),
    ...(tolerations && isAdmitted('tolerations', features) && { tolerations }),
  };
}

function isAdmitted(field: keyof typeof PLACEMENT, features: ReadonlyMap<string, string>): boolean {
  return ['enabled', 'allowed'].includes(features.get(PLACEMENT[field])?.toLowerCase() ?? '');
}

/** The features that would have to be enabled for what the spec asks for. */
export function featuresMissing({ spec }: SourceObject, features: ReadonlyMap<string, string>): readonly string[] {
  const fields = ['nodeSelector', 'tolerations'] as const;
  return fields
    .filter((field) => spec.adapter?.[field] && !isAdmitted(field, features))
    .map((field) => PLACEMENT[field]);
}
