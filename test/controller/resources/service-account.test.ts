import { describe, expect, it } from 'vitest';
import type { SourceObject } from '../../../controller/objects.ts';
import { serviceAccountNameOf, serviceAccountOf } from '../../../controller/resources/service-account.ts';

function aSource(name: string): SourceObject {
  const metadata = { name, namespace: 'demo', uid: 'u', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' };
  return { apiVersion: 'sources.knative.dev/v1alpha1', kind: 'GitHubSource', metadata, spec: { sink: {} } };
}

describe('the ServiceAccount of a source', () => {
  // What kmeta.ChildName of knative.dev/pkg made of them.
  const names = [
    ['hello', 'hello-oidc-sources.knative.dev-githubsource'],
    ['a'.repeat(25), `${'a'.repeat(25)}-oidc-sources.knative.dev-githubsource`],
    ['a'.repeat(26), `${'a'.repeat(26)}7fd55bf3f543120883b017a8e91299b2-oidc`],
    ['a'.repeat(30), `${'a'.repeat(30)}9d81cfca7a683a67e9a65e7bc2ef9e81`],
    ['a'.repeat(31), `${'a'.repeat(31)}3437988dcfcd2afb342f8e06a90a63bd`],
    [`${'b'.repeat(32)}-${'c'.repeat(30)}`, `${'b'.repeat(31)}b7438f42606ac88c9fd73c7237287765`],
    ['my.source.with-a-name.of-many-parts', 'my.source.with-a-name.of-many-p6082dc88a99875270b1691e03fd481b5'],
  ] as const;
  for (const [source, account] of names) {
    it(`of ${source} has Knative's name`, () => expect(serviceAccountNameOf(aSource(source))).toBe(account));
  }

  it('is owned by it', () => {
    expect(serviceAccountOf(aSource('hello'))).toMatchObject({
      metadata: {
        name: 'hello-oidc-sources.knative.dev-githubsource',
        namespace: 'demo',
        labels: { 'app.kubernetes.io/managed-by': 'headwater' },
        ownerReferences: [{ kind: 'GitHubSource', name: 'hello', uid: 'u', controller: true }],
      },
    });
  });
});
