import type { SourceDefinition } from '../contract.ts';
import { toEvent } from './event.ts';
import { authenticate, carriesSignature } from './signature.ts';

export const github: SourceDefinition = {
  kind: 'GitHubSource',
  group: 'sources.knative.dev',
  // GitHub closes the connection after 10 s.
  replyBudgetMs: 8000,
  alwaysDelivered: new Set(['ping']),
  carriesSignature,
  authenticate,
  toEvent,
  loadSpec: async () => (await import('./spec.ts')).specDefinition,
  loadWebhookApi: async (guard, now) => (await import('./webhook.ts')).webhookApi(guard, now),
  loadSimulator: async () => (await import('./simulator.ts')).simulator,
};
