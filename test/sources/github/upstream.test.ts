import { describe, expect, it } from 'vitest';
import { github } from '../../../sources/github/index.ts';

describe("the Leases of eventing-github's source reconciler", () => {
  it.each([
    ['github-controller.knative.dev.eventing-github.pkg.reconciler.source.reconciler.00-of-01', true],
    ['github-controller.knative.dev.eventing-github.pkg.reconciler.source.reconciler.02-of-10', true],
    // Of what serves GitHubBinding, and of other sources in the same namespace.
    ['github-webhook.knative.dev.eventing-github.pkg.reconciler.binding.reconciler.00-of-01', false],
    ['github-controller.knative.dev.eventing-github.pkg.reconciler.binding.reconciler.00-of-01', false],
    ['gitlab-controller.knative.dev.eventing-gitlab.pkg.reconciler.source.reconciler.00-of-01', false],
    ['headwater-controller', false],
  ])('%s: %s', (name, isOne) => expect(github.upstream?.leases.test(name)).toBe(isOne));
});
