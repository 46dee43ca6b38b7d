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
  /** Of namespace `headwater` and the test's own. */
  readonly pods: FollowedPods;
}

/** A control plane of its own with nothing of ours, where pods run as their specs say. */
export async function clusterToInstallInto(started: AsyncDisposableStack): Promise<InstalledCluster> {
  const network = await PodNetwork.start();
  started.defer(() => network.stop());
  const { plane, cluster } = await startCluster({}, []);
  started.defer(() => plane.stop());
  const sink = await FakeSink.start(undefined, network.hostAddress);
  started.defer(() => sink.close());
  const world = new RealWorld(cluster);
  await world.open(network.hostAddress);
  started.defer(() => world.github.stop());
  const kubelet = await Kubelet.start(cluster, network, PROGRAMS);
  started.defer(() => kubelet.stop());
  const pods = new FollowedPods(kubelet, ['headwater', world.namespace]);
  pods.start();
  started.defer(() => pods.stop());
  return { world, sink, pods };
}
