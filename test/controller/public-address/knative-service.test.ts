import { describe, expect, it } from 'vitest';
import type { KubeObject } from '../../../controller/objects.ts';
import { knativeServiceUrl } from '../../../controller/public-address/knative-service.ts';
import { isBlocked } from '../../../controller/step.ts';

const PUBLIC = 'https://hooks.demo.example.com/';
const INSIDE = 'has a URL inside of the cluster alone';
const rows: { name: string; status?: object; visibility?: string; says: string }[] = [
  { name: 'a domain', status: { url: PUBLIC }, says: PUBLIC },
  { name: 'nothing yet', says: 'has no URL yet' },
  { name: 'a URL inside of the cluster', status: { url: 'http://hooks.demo.svc.cluster.local' }, says: INSIDE },
  { name: 'one of another cluster domain', status: { url: 'http://hooks.demo.svc.corp.example' }, says: INSIDE },
  { name: 'the URL of its Service', status: { url: PUBLIC, address: { url: PUBLIC } }, says: INSIDE },
  { name: 'the label that keeps it inside', status: { url: PUBLIC }, visibility: 'cluster-local', says: INSIDE },
];

describe('a Knative Service with', () => {
  for (const { name, status, visibility, says } of rows)
    it(name, () => {
      const labels = { 'networking.knative.dev/visibility': visibility };
      const url = knativeServiceUrl({ metadata: { name: 'hooks', labels }, status } as unknown as KubeObject);
      expect(isBlocked(url) ? url.blocked.message : url.done).toContain(says);
    });
});
