import pino from 'pino';
import { expect, it } from 'vitest';
import { AdmissionError, SourceRefusedError } from '../../../controller/admission-error.ts';
import type { Cluster } from '../../../controller/cluster.ts';
import type { ApiClient } from '../../../controller/kube/api-client.ts';
import { KubeCluster } from '../../../controller/kube/kube-cluster.ts';
import { Resources } from '../../../controller/kube/resources.ts';
import type { SourceObject } from '../../../controller/objects.ts';
import { aRoute } from '../../support/builders.ts';

const source = {
  apiVersion: 'sources.knative.dev/v1alpha1',
  kind: 'GitHubSource',
  metadata: { uid: 'u1', namespace: 'demo', name: 'hello' },
} as SourceObject;
const refusal = new AdmissionError('PATCH /x', 403, 'no', 'policy.example.com');
const ofASource = new SourceRefusedError(refusal);

/** Where an admission webhook refuses every write. */
function refusing(): Cluster {
  const call = async (method: string) => {
    if (method !== 'GET') throw refusal;
    return { resources: [{ name: 'githubsources', kind: 'GitHubSource', namespaced: true }] };
  };
  const api = { call } as unknown as ApiClient;
  return new KubeCluster({
    api,
    resources: new Resources(api),
    namespaces: [],
    routesNamespace: 'headwater-routes',
    systemNamespace: 'headwater',
    adapterStates: async () => [],
    orphans: { record: async () => undefined },
    now: () => new Date(),
    log: pino({ level: 'silent' }),
  });
}

it.each<[what: string, write: (cluster: Cluster) => Promise<unknown>, error: Error]>([
  ['status', (cluster) => cluster.writeStatus(source, {}), ofASource],
  ['a finalizer', (cluster) => cluster.addFinalizer(source, 'x'), ofASource],
  ['the end of a finalizer', (cluster) => cluster.removeFinalizer(source, 'x'), ofASource],
  ['a route', (cluster) => cluster.publishRoute(aRoute()), refusal],
  ['the end of a route', (cluster) => cluster.removeRoute('u1'), refusal],
  ['a token of the ServiceAccount', (cluster) => cluster.requestToken(source, 'sink'), refusal],
])('a refused write of %s is said to be one to the source, or not', async (_what, write, error) => {
  const thrown = await write(refusing()).catch((reason: unknown) => reason);
  expect(thrown).toEqual(error);
  expect(thrown).toBeInstanceOf(error.constructor);
});
