import type { RealWorld } from './real-world.ts';

const NAMESPACE = 'knative-sources';
const LEASE = 'github-controller.knative.dev.eventing-github.pkg.reconciler.source.reconciler.00-of-01';
const RENEW_MS = 1000;

/** Plays eventing-github's controller: what it leaves in a cluster, and its Lease. */
export class PlayedUpstream {
  /** How often the Lease was renewed. */
  renewals = 0;
  readonly #world: RealWorld;
  #renewing: Promise<void> = Promise.resolve();
  #isRunning = false;

  constructor(world: RealWorld) {
    this.#world = world;
  }

  async start(): Promise<void> {
    await this.#world.applyIn(NAMESPACE, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: LEASE },
      spec: { holderIdentity: 'github-controller-manager-0_x', leaseDurationSeconds: 5 },
    });
    this.#isRunning = true;
    this.#renewing = this.#renew();
  }

  /** As a crash does: the Lease is left to its end. */
  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#renewing;
  }

  /** As client-go does when its process is told to end. */
  async giveBack(): Promise<void> {
    await this.stop();
    await this.#patchLease({ holderIdentity: '', leaseDurationSeconds: 1 });
  }

  async deleteLease(): Promise<void> {
    await this.stop();
    await this.#world.kubectl('delete', 'lease', LEASE, '-n', NAMESPACE);
  }

  async #patchLease(spec: object): Promise<void> {
    const patch = JSON.stringify({ spec });
    await this.#world.kubectl('patch', 'lease', LEASE, '-n', NAMESPACE, '--type=merge', '-p', patch);
  }

  async #renew(): Promise<void> {
    while (this.#isRunning) {
      await this.#patchLease({ renewTime: new Date().toISOString().replace('Z', '000Z') });
      this.renewals += 1;
      await new Promise((resolve) => setTimeout(resolve, RENEW_MS));
    }
  }

  /** What it has written to a source that is Ready. */
  async serve(name: string, webhookID: string): Promise<void> {
    const type = 'githubsource';
    const { namespace } = this.#world;
    const finalizers = { metadata: { finalizers: ['githubsources.sources.knative.dev'] } };
    await this.#world.kubectl('patch', type, name, '-n', namespace, '--type=merge', '-p', JSON.stringify(finalizers));
    const since = '2026-01-01T00:00:00Z';
    const conditions = ['Ready', 'SecretsProvided', 'SinkProvided', 'WebhookConfigured'].map((condition) => ({
      type: condition,
      status: 'True',
      lastTransitionTime: since,
    }));
    const status = { conditions, sinkUri: 'http://broker-ingress.example.com', webhookIDKey: webhookID };
    const patch = JSON.stringify({ status });
    await this.#world.kubectl(
      'patch',
      type,
      name,
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      patch,
    );
  }

  /** The Knative Service it makes for a source; undefined: one that nobody controls. */
  async service(name: string, owner: string | undefined): Promise<string> {
    const source = owner === undefined ? undefined : await this.#world.object(owner);
    const { namespace } = this.#world;
    const host = `${name}.${namespace}.example.com`;
    await this.#world.apply({
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      metadata: {
        name,
        labels: { 'receive-adapter': 'github' },
        ownerReferences: source && [
          {
            apiVersion: source.apiVersion,
            kind: source.kind,
            name: source.metadata.name,
            uid: source.metadata.uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: { template: { spec: { containers: [{ image: 'example.com/receive-adapter' }] } } },
    });
    const patch = JSON.stringify({ status: { url: `http://${host}` } });
    await this.#world.kubectl(
      'patch',
      'services.serving.knative.dev',
      name,
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
      patch,
    );
    return `http://${host}`;
  }

  hook(id: number, url: string): void {
    this.#world.github.hooks.push({
      id,
      repository: 'octo/hello',
      active: true,
      events: ['push', 'issues'],
      config: { url, content_type: 'json', insecure_ssl: '0', secret: 's3cret' },
      updatedAt: new Date(),
    });
  }
}
