import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../controller/objects.ts';
import { deploymentServes, knativeServiceServes } from '../../controller/rollout.ts';
import { isBlocked, type Step } from '../../controller/step.ts';

function anObject(status: object, spec: object = {}): KubeObject {
  const metadata = { name: 'x', namespace: 'demo', uid: 'u', generation: 2, creationTimestamp: '' };
  return { apiVersion: 'v1', kind: 'X', metadata, spec, status };
}

const said = (step: Step<undefined>) => (isBlocked(step) ? `${step.blocked.status} ${step.blocked.reason}` : 'serves');

describe('a Deployment', () => {
  const all = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  const failed = (type: string, status: string) => ({
    conditions: [{ type, status, reason: 'Why', message: 'because', lastTransitionTime: '' }],
  });
  const cases = [
    { name: 'with all pods new and available', status: all, says: 'serves' },
    {
      name: 'that its controller has not seen',
      status: { ...all, observedGeneration: 1 },
      says: 'Unknown RolloutUnderWay',
    },
    { name: 'without status', status: {}, says: 'Unknown RolloutUnderWay' },
    { name: 'with an old pod', status: { ...all, replicas: 3 }, says: 'Unknown RolloutUnderWay' },
    {
      name: 'with an old pod in the place of a new one',
      status: { ...all, updatedReplicas: 1 },
      says: 'Unknown RolloutUnderWay',
    },
    { name: 'with one of two available', status: { ...all, availableReplicas: 1 }, says: 'Unknown RolloutUnderWay' },
    { name: 'with none available', status: { ...all, availableReplicas: 0 }, says: 'False MissingReceiveAdapter' },
    {
      name: 'past its deadline',
      status: { ...all, availableReplicas: 0, ...failed('Progressing', 'False') },
      says: 'False RolloutFailed',
    },
    {
      name: 'whose pods are not admitted',
      status: { observedGeneration: 2, ...failed('ReplicaFailure', 'True') },
      says: 'False RolloutFailed',
    },
  ];
  for (const { name, status, says } of cases)
    it(`${name}: ${says}`, () => expect(said(deploymentServes(anObject(status, { replicas: 2 })))).toBe(says));

  it('that somebody scaled to nothing serves nobody', () => {
    const nothing = { observedGeneration: 2 };
    expect(said(deploymentServes(anObject(nothing, { replicas: 0 })))).toBe('False MissingReceiveAdapter');
  });
});

describe('a Knative Service', () => {
  const ready = (status: string) => ({
    observedGeneration: 2,
    conditions: [{ type: 'Ready', status, message: 'why' }],
  });
  const cases = [
    { name: 'that is ready, at whatever scale', status: ready('True'), says: 'serves' },
    {
      name: 'that Serving has not seen',
      status: { ...ready('True'), observedGeneration: 1 },
      says: 'Unknown RolloutUnderWay',
    },
    { name: 'that is on its way', status: ready('Unknown'), says: 'Unknown RolloutUnderWay' },
    { name: 'that failed', status: ready('False'), says: 'False RolloutFailed' },
    { name: 'without status', status: {}, says: 'Unknown RolloutUnderWay' },
  ];
  for (const { name, status, says } of cases)
    it(`${name}: ${says}`, () => expect(said(knativeServiceServes(anObject(status)))).toBe(says));
});
