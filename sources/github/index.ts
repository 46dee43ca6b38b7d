import type { SourceDefinition, UpstreamController } from '../contract.ts';
import { toEvent } from './event.ts';
import { authenticate, carriesSignature } from './signature.ts';

/** knative-extensions/eventing-github. Its Leases are `<component>.<package and type of the reconciler>.<bucket>-of-<buckets>`. */
const upstream: UpstreamController = {
  leases: /^github-controller\.(.+\.)?eventing-github\.pkg\.reconciler\.source\.reconciler\.\d+-of-\d+$/,
  serviceLabel: 'receive-adapter=github',
  admissionWebhooks: [
    'defaulting.webhook.github.sources.knative.dev',
    'validation.webhook.github.sources.knative.dev',
    'githubbindings.webhook.github.sources.knative.dev',
  ],
};

export const github: SourceDefinition = {
  kind: 'GitHubSource',
  group: 'sources.knative.dev',
  // GitHub closes the connection after 10 s.
  replyBudgetMs: 8000,
  alwaysDelivered: new Set(['ping']),
  carriesSignature,
  authenticate,
  toEvent,
  upstream,
  loadSpec: async () => (await import('./spec.ts')).specDefinition,
  loadWebhookApi: async (...tools) => (await import('./webhook.ts')).webhookApi(...tools),
  loadSimulator: async () => (await import('./simulator.ts')).simulator,
};
