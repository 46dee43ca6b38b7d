import type { Condition, KubeObject } from './objects.ts';
import { blocked, type Step } from './step.ts';

interface DeploymentFields {
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly updatedReplicas?: number;
    readonly availableReplicas?: number;
    readonly conditions?: readonly Condition[];
  };
}

interface KnativeServiceFields {
  readonly status?: {
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
}

/** Whether a Deployment serves what it was given last: all its pods are new ones, and available. */
export function deploymentServes(deployment: KubeObject): Step<undefined> {
  const { metadata } = deployment;
  const { spec = {}, status = {} } = deployment as DeploymentFields;
  const { replicas: wanted = 1 } = spec;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, conditions = [] } = status;
  const name = `Deployment ${metadata.name}`;
  if (wanted === 0) return blocked('MissingReceiveAdapter', `${name} is scaled to 0: scale it to 1 or more`);
  if ((status.observedGeneration ?? 0) < metadata.generation) return underWay(`${name} is rolled out`);
  const isCurrent = updatedReplicas >= wanted && replicas === updatedReplicas && availableReplicas >= wanted;
  if (isCurrent) return { done: undefined };
  const fault = conditionOf(conditions, 'ReplicaFailure', 'True') ?? conditionOf(conditions, 'Progressing', 'False');
  if (fault) return blocked('RolloutFailed', `${name}: ${textOf(fault)}`);
  if (availableReplicas === 0)
    return blocked('MissingReceiveAdapter', `${name} has no ready pod: see why they are not`);
  const old = replicas - updatedReplicas;
  const rest = old > 0 ? `${old} of an older version still run` : `${availableReplicas} of ${wanted} are ready`;
  return underWay(`${name} is rolled out: of its pods, ${rest}`);
}

/** Whether a Knative Service serves what it was given last; it does so at scale zero, too. */
export function knativeServiceServes(service: KubeObject): Step<undefined> {
  const { metadata } = service;
  const { status = {} } = service as KnativeServiceFields;
  const name = `Knative Service ${metadata.name}`;
  if ((status.observedGeneration ?? 0) < metadata.generation) return underWay(`${name} is rolled out`);
  const ready = status.conditions?.find(({ type }) => type === 'Ready');
  if (ready?.status === 'True') return { done: undefined };
  if (ready?.status === 'False') return blocked('RolloutFailed', `${name}: ${textOf(ready)}`);
  return underWay(`${name} is rolled out${ready?.message ? `: ${ready.message}` : ''}`);
}

function underWay(message: string): Step<never> {
  return blocked('RolloutUnderWay', message, { when: 'changed' }, 'Unknown');
}

function conditionOf(conditions: readonly Condition[], type: string, status: string): Condition | undefined {
  return conditions.find((condition) => condition.type === type && condition.status === status);
}

function textOf({ reason, message }: Condition): string {
  return [reason, message].filter(Boolean).join(': ');
}
