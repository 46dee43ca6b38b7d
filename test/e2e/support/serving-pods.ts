import { expect } from 'vitest';
import type { FollowedPods } from './followed-pods.ts';
import type { ProbedPod } from './probed-pod.ts';
import type { RealWorld } from './real-world.ts';

const KIND = 'services.serving.knative.dev';

interface Container {
  readonly ports?: readonly { readonly containerPort: number }[];
  readonly livenessProbe?: Probe;
}

interface Probe {
  readonly httpGet?: object;
  readonly tcpSocket?: object;
}

interface KnativeService {
  readonly metadata: { readonly generation: number };
  readonly spec: {
    readonly template: {
      readonly metadata?: { readonly labels?: object; readonly annotations?: object };
      readonly spec: { readonly containers: readonly Container[] };
    };
  };
}

/** As its networking layer has it, in the default domain template. */
export const publicUrlOf = (namespace: string, name: string) => `https://${name}.${namespace}.example.com`;

/** Serving has it asked at the only port of the container, whichever it names. */
function atPort(probe: Probe | undefined, { containerPort: port }: { readonly containerPort: number }) {
  const { httpGet, tcpSocket } = probe ?? {};
  return (
    probe && { ...probe, ...(httpGet && { httpGet: { ...httpGet, port } }), ...(tcpSocket && { tcpSocket: { port } }) }
  );
}

/** Knative Serving as far as one pod of a Knative Service goes: it is made of the template, and is where events are taken. */
export class ServingPods {
  readonly #world: RealWorld;
  readonly #pods: FollowedPods;
  #made = 0;

  constructor(world: RealWorld, pods: FollowedPods) {
    this.#world = world;
    this.#pods = pods;
  }

  /** Makes a pod of the Knative Service as it is now, ends the one before, and says that it serves when it is ready. */
  async rollOut(namespace: string, name: string): Promise<ProbedPod> {
    const where = ['-n', namespace];
    const text = await this.#world.kubectl('get', KIND, name, ...where, '-o', 'json');
    const { metadata, spec } = JSON.parse(text) as KnativeService;
    const before = this.#pods.of(name);
    this.#made += 1;
    const pod = `${name}-${String(this.#made).padStart(5, '0')}-deployment`;
    const [container] = spec.template.spec.containers;
    const { labels, annotations } = spec.template.metadata ?? {};
    // As Serving names the only port, and asks it where there is no probe.
    const [port = { containerPort: 8080 }] = container?.ports ?? [];
    const readinessProbe = { tcpSocket: { port: 'user-port' } };
    const livenessProbe = atPort(container?.livenessProbe, port);
    const served = { readinessProbe, ...container, livenessProbe, ports: [{ ...port, name: 'user-port' }] };
    await this.#world.applyIn(namespace, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, labels: { ...labels, 'serving.knative.dev/service': name }, annotations },
      spec: { ...spec.template.spec, containers: [served] },
    });
    await this.#world.kubectl('wait', '--for=condition=Ready', `pod/${pod}`, ...where, '--timeout=60s');
    const [running] = this.#pods.of(`${name}-${String(this.#made).padStart(5, '0')}`);
    if (!running) throw new Error(`${pod} is not there`);
    const url = publicUrlOf(namespace, name);
    const conditions = [{ type: 'Ready', status: 'True' }];
    const status = {
      observedGeneration: metadata.generation,
      url,
      address: { url: running.url('user-port') },
      conditions,
    };
    const patch = JSON.stringify({ status });
    await this.#world.kubectl('patch', KIND, name, ...where, '--subresource=status', '--type=merge', '-p', patch);
    // What they were made for may be gone as well, such as a Deployment of that name.
    const ending = ['--wait=false', '--ignore-not-found'];
    for (const { name: old } of before) await this.#world.kubectl('delete', 'pod', old, ...where, ...ending);
    await this.#world.holds(() => expect(this.#pods.of(name)).toHaveLength(1));
    return running;
  }
}
