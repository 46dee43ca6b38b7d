import type { Condition, KubeObject } from '../controller/objects.ts';
import { conditionsOf } from './observed-objects.ts';

/** What is found of an object; a message says what to change. */
export interface Judgement {
  readonly status: Condition['status'];
  readonly reason?: string;
  readonly message?: string;
}

/** The one condition of an object that local mode plays the controller of. */
export function readiness(object: KubeObject, judgement: Judgement, now: Date): object[] {
  const [before] = conditionsOf(object);
  const lastTransitionTime = before?.status === judgement.status ? before.lastTransitionTime : now.toISOString();
  return [{ type: 'Ready', ...judgement, lastTransitionTime }];
}

export function refusal(reason: string, message: string): Judgement {
  return { status: 'False', reason, message };
}
