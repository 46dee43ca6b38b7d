import { connect, createServer } from 'node:net';
import packageJson from '../../../package.json' with { type: 'json' };
import { FakeSink } from '../../support/fake-sink.ts';
import { startCluster } from './cluster.ts';
import { FollowedPods } from './followed-pods.ts';
import { Kubelet } from './kubelet.ts';
import { PodNetwork } from './pod-network.ts';
import { RealWorld } from './real-world.ts';

/** What runs in place of what the manifests name. */
const PROGRAMS = {
  [`headwater-controller:${packageJson.version}`]: 'controller/main.ts',
  [`headwater-adapter:${packageJson.version}`]: 'adapter/main.ts',
  '/app/headwater.js': 'cli/main.ts',
};

export interface InstalledCluster {
  /** Without controller and adapter of its own. */
  readonly world: RealWorld;
  readonly sink: FakeSink;
  /** Of namespace `headwater`, the test's own, and those it named. */
  readonly pods: FollowedPods;
  /** What DNS and kube-proxy do for a Service of one port: its name leads to the first pod named after it. */
  readonly serve: (namespace: string, service: string) => Promise<void>;
}

/**
 * A control plane of its own with nothing of ours, where pods run as their specs say. `knative`: the kinds of Knative are
 * there; `namespaces`: further ones whose pods run.
 */
export async function clusterToInstallInto(
  started: AsyncDisposableStack,
  { knative = true, namespaces = [] as readonly string[] } = {},
): Promise<InstalledCluster> {
  const network = await PodNetwork.start();
  started.defer(() => network.stop());
  const { plane, cluster } = await startCluster({}, [], { knative });
  started.defer(() => plane.stop());
  const sink = await FakeSink.start(undefined, network.hostAddress);
  started.defer(() => sink.close());
  const world = new RealWorld(cluster);
  await world.open(network.hostAddress);
  started.defer(() => world.github.stop());
  const kubelet = await Kubelet.start(cluster, network, PROGRAMS);
  started.defer(() => kubelet.stop());
  const pods = new FollowedPods(kubelet, ['headwater', world.namespace, ...namespaces]);
  pods.start();
  started.defer(() => pods.stop());
  const serve = async (namespace: string, name: string) => {
    const text = await world.kubectl('get', 'service', name, '-n', namespace, '-o', 'json');
    const { clusterIP, ports } = (JSON.parse(text) as { spec: { clusterIP: string; ports: { port: number }[] } }).spec;
    await network.claim(clusterIP);
    await kubelet.resolve(`${name}.${namespace}.svc.cluster.local`, clusterIP);
    const server = createServer((client) => {
      const { hostname, port } = new URL(pods.of(name)[0]?.url('http') ?? 'http://none');
      const onward = connect(Number(port), hostname);
      client.on('error', () => onward.destroy()).pipe(onward);
      onward.on('error', () => client.destroy()).pipe(client);
    });
    await new Promise<void>((resolve) => void server.listen(ports[0]?.port, clusterIP, resolve));
    started.defer(async () => void server.close());
  };
  return { world, sink, pods, serve };
}
