import type { Route } from '../../core/route.ts';

export const SECRET = 'It is a secret to everybody';

/** A route as the controller writes it; a test names only what matters to it. */
export function aRoute(overrides: Partial<Route> = {}): Route {
  const uid = overrides.uid ?? '0a1b2c3d';
  return {
    version: 1,
    generation: 1,
    uid,
    kind: 'GitHubSource',
    namespace: 'demo',
    name: 'hello',
    path: `/hooks/${uid}`,
    eventSource: 'https://github.com/octo/hello',
    secretTokens: [{ value: SECRET }],
    sink: null,
    deadLetterSink: null,
    eventTypes: ['*'],
    ceOverrides: {},
    delivery: {},
    eventFormat: 'knative',
    provider: {},
    ...overrides,
  };
}
