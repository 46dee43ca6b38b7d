import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Following } from '../../controller/cluster.ts';
import { type Address, chosenOf } from '../../controller/public-address/way.ts';
import { FollowedAddresses, type FollowedAddressesOptions } from '../../controller/public-addresses.ts';
import { aGateway, aHttpRoute, anIngress, aRule, HTTP, HTTPS, SHARED, takenBy } from '../support/public-objects.ts';
import { UID, World } from '../support/world.ts';

describe('of several addresses', () => {
  const at = (url: string, createdAt = '2026-01-01T00:00:00Z', from = 'Ingress a/a'): Address => ({
    url,
    createdAt,
    from,
  });
  const later = '2026-02-01T00:00:00Z';
  const rows: { name: string; addresses: [Address, Address] }[] = [
    { name: 'https comes first', addresses: [at('https://a', later), at('http://b')] },
    { name: 'then the oldest', addresses: [at('https://b'), at('https://a', later)] },
    { name: 'then the first by name', addresses: [at('https://b'), at('https://a', undefined, 'Ingress b/a')] },
  ];
  for (const { name, addresses } of rows)
    it(name, () => {
      expect(chosenOf(addresses)).toBe(addresses[0]);
      expect(chosenOf(addresses.toReversed())).toBe(addresses[0]);
    });

  it('then what is said first', () => expect(chosenOf([at('https://b'), at('https://a')])?.url).toBe('https://b'));
});

/** A cluster that says what a test has it say. */
class ToldCluster {
  readonly followed: Following<unknown>[] = [];
  follow<Kept>(following: Following<Kept>): void {
    this.followed.push(following as Following<unknown>);
  }

  places(): string[] {
    return this.followed.map(({ kind, namespace = '*', name }) => `${kind.kind} ${namespace}${name ? `/${name}` : ''}`);
  }
}

const INGRESS = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' };

describe('what is followed', () => {
  afterEach(() => vi.useRealTimers());
  const open = (options: Partial<FollowedAddressesOptions> = {}) => {
    const cluster = new ToldCluster();
    const changes: string[] = [];
    const addresses = new FollowedAddresses({
      cluster,
      shared: SHARED,
      sharedKnativeService: { namespace: 'headwater', name: 'headwater-hooks' },
      hasDedicated: false,
      namespaces: [],
      onChange: ({ name }) => void changes.push(name),
      settleMs: 10,
      firstWaitMs: 20,
      ...options,
    });
    return { cluster, addresses, changes };
  };

  const rows: { name: string; options: Partial<FollowedAddressesOptions>; places: string[] }[] = [
    {
      name: 'for the shared adapter',
      options: {},
      places: ['Ingress headwater', 'HTTPRoute *', 'Service headwater/headwater-hooks'],
    },
    {
      name: 'for adapters of single sources',
      options: { hasDedicated: true, sharedKnativeService: undefined },
      places: ['Ingress *', 'HTTPRoute *'],
    },
    {
      name: 'for some namespaces',
      options: { hasDedicated: true, namespaces: ['demo'] },
      places: [
        'Ingress headwater',
        'Ingress demo',
        'HTTPRoute headwater',
        'HTTPRoute demo',
        'Service headwater/headwater-hooks',
      ],
    },
  ];
  for (const { name, options, places } of rows)
    it(`${name}, and not before it is asked for`, async () => {
      const { cluster, addresses } = open(options);
      expect(cluster.followed).toEqual([]);
      void addresses.of(SHARED);
      void addresses.of(SHARED);
      expect(cluster.places()).toEqual(places);
    });

  it('is waited for a while, and answered when all of it is known', async () => {
    const { cluster, addresses, changes } = open();
    const first = addresses.of(SHARED);
    for (const { onKnown } of cluster.followed.slice(1)) onKnown('no-kind');
    expect(await first).toEqual({ kind: 'unread' });
    cluster.followed[0]?.onKnown('all');
    expect(await addresses.of(SHARED)).toEqual({ kind: 'none', faults: [] });
    expect(changes).toEqual([]);
  });

  it('says which rights are missing, and looks again when they are given', async () => {
    const { cluster, addresses, changes } = open();
    const first = addresses.of(SHARED);
    for (const { onKnown, kind } of cluster.followed)
      onKnown(kind.kind === 'Ingress' ? { forbidden: 'get, list and watch on ingresses' } : 'no-kind');
    expect(await first).toEqual({
      kind: 'none',
      faults: ['the controller may not read what would say more: give it get, list and watch on ingresses'],
    });
    cluster.followed[0]?.onKnown('all');
    expect(await addresses.of(SHARED)).toEqual({ kind: 'none', faults: [] });
    expect(changes).toEqual([SHARED.name]);
  });

  it('are Gateways where an HTTPRoute of ours has one, which may not be read', async () => {
    const { cluster, addresses } = open({ namespaces: ['demo'] });
    const first = addresses.of(SHARED);
    const routes = cluster.followed.find(({ kind }) => kind.kind === 'HTTPRoute');
    const route = aHttpRoute({ hostnames: ['hooks.example.com'] });
    const reference = { ...route, namespace: 'headwater', name: 'hooks' };
    const object = { ...route, metadata: { ...route.metadata, creationTimestamp: '' } };
    const status = takenBy({ namespace: 'infra' });
    routes?.onChange(reference, routes.keep({ ...object, status } as never));
    expect(cluster.places().at(-1)).toBe('Gateway infra');
    for (const { onKnown, kind } of cluster.followed)
      onKnown(kind.kind === 'Gateway' ? { forbidden: 'get, list and watch on gateways in namespace infra' } : 'all');
    const answer = await first;
    expect(answer.kind === 'none' && answer.faults).toEqual([
      'HTTPRoute headwater/hooks is accepted by Gateway infra/public, which is not known',
      'the controller may not read what would say more: give it get, list and watch on gateways in namespace infra',
    ]);
  });

  it('tells of an address that is gone when it stays so, and of one that comes at once', async () => {
    vi.useFakeTimers();
    const { cluster, addresses, changes } = open();
    void addresses.of(SHARED);
    for (const { onKnown } of cluster.followed) onKnown('all');
    expect(await addresses.of(SHARED)).toEqual({ kind: 'none', faults: [] });
    const [ingresses] = cluster.followed;
    const reference = { ...INGRESS, namespace: 'headwater', name: 'hooks' };
    const lead = ingresses?.keep({
      metadata: { ...reference, creationTimestamp: '' },
      spec: { rules: [aRule('hooks.example.com')] },
    } as never);
    ingresses?.onChange(reference, lead);
    expect(changes).toHaveLength(1);
    const found = { kind: 'found', url: 'http://hooks.example.com' };
    expect(await addresses.of(SHARED)).toEqual(found);
    ingresses?.onChange(reference, undefined);
    ingresses?.onChange(reference, lead);
    vi.advanceTimersByTime(10);
    ingresses?.onChange(reference, undefined);
    vi.advanceTimersByTime(9);
    expect(await addresses.of(SHARED)).toEqual(found);
    expect(changes).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(await addresses.of(SHARED)).toEqual({ kind: 'none', faults: [] });
    expect(changes).toHaveLength(2);
  });

  it('keeps nothing of what leads elsewhere', () => {
    const { cluster, addresses } = open();
    void addresses.of(SHARED);
    const keep = (index: number, object: object) =>
      cluster.followed[index]?.keep({ metadata: { creationTimestamp: '' }, ...object } as never);
    expect(keep(0, anIngress({ rules: [aRule('shop.example.com', {}, 'shop')] }))).toBeUndefined();
    expect(keep(0, anIngress({ rules: [aRule('a.example.com', {}, 'hello-githubsource-adapter')] }))).toBeUndefined();
    expect(keep(1, aHttpRoute({ rules: [{ backendRefs: [{ name: 'shop', port: 80 }] }] }))).toBeUndefined();
    expect(keep(0, anIngress({ rules: [aRule('hooks.example.com')] }))).toBeDefined();
  });
});

describe('a public address that the cluster knows', () => {
  let world: World;
  beforeEach(() => {
    world = new World();
  });
  afterEach(() => world.end());

  const advice = 'set PUBLIC_URL';
  const options = (publicUrl?: string) => ({
    adapter: {
      dedicated: { image: 'headwater-adapter:1', env: {} },
      defaultMode: 'shared',
      publicUrlFor: () => publicUrl,
      publicUrlAdvice: advice,
    } as const,
  });
  const hookUrls = () => world.github.hooks.map(({ config }) => config.url);
  const webhookAt = (base: string) =>
    world.holds(() => {
      expect(hookUrls()).toEqual([`${base}/hooks/${UID}`]);
      expect(world.status().webhookURL).toBe(`${base}/hooks/${UID}`);
      expect(world.condition('Ready')).toBe('Ready=True');
    });
  const host = 'hooks.example.com';
  const ingress = (name: string) => anIngress({ tls: [{ hosts: [name] }], rules: [aRule(name)] });
  const route = (spec: object, status: object = takenBy()) => {
    world.cluster.apply(aHttpRoute(spec));
    world.cluster.setStatus({ ...aHttpRoute({}), namespace: 'headwater', name: 'hooks' }, status);
  };
  const start = async (publicUrl?: string) => {
    await world.start(options(publicUrl));
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/demo/default');
    world.source();
  };

  it('is missed, then found by an Ingress, followed when it changes, and missed again', async () => {
    await start();
    await world.becomes('Ready=False NoPublicAddress');
    expect(world.message('Ready')).toContain(advice);
    expect(hookUrls()).toEqual([]);
    world.cluster.apply(ingress(host));
    await webhookAt(`https://${host}`);
    const [hook] = world.github.hooks;
    world.cluster.apply(ingress('other.example.com'));
    await webhookAt('https://other.example.com');
    expect(world.github.hooks.map(({ id }) => id)).toEqual([hook?.id]);
    world.cluster.delete({ ...ingress(host), namespace: 'headwater', name: 'hooks' });
    await world.becomes('Ready=False NoPublicAddress');
    expect(world.message('Ready')).toContain('still points at https://other.example.com/hooks/');
    expect(world.status().webhookURL).toBe(`https://other.example.com/hooks/${UID}`);
    expect(world.github.hooks.map(({ id }) => id)).toEqual([hook?.id]);
  });

  it('is that of an HTTPRoute when its Gateway takes it', async () => {
    world.cluster.apply(aGateway([HTTP, HTTPS]));
    await start();
    await world.becomes('Ready=False NoPublicAddress');
    route({ hostnames: [host] }, takenBy({}, 'False'));
    await world.holds(() =>
      expect(world.message('Ready')).toContain('HTTPRoute headwater/hooks is accepted by no Gateway'),
    );
    route({ hostnames: [host] });
    await webhookAt(`https://${host}`);
    world.cluster.apply(aGateway([{ ...HTTPS, port: 8443 }]));
    await webhookAt(`https://${host}:8443`);
  });

  it('is that of the Knative Service of the shared adapter', async () => {
    world.children.serving = true;
    const reference = {
      apiVersion: 'serving.knative.dev/v1',
      kind: 'Service',
      namespace: 'headwater',
      name: 'headwater-hooks',
    };
    world.cluster.apply({ ...reference, metadata: { ...reference, uid: 'ksvc' }, spec: {} });
    await start();
    await world.becomes('Ready=False NoPublicAddress');
    expect(world.message('Ready')).toContain('Knative Service headwater-hooks has no URL yet');
    world.cluster.setStatus(reference, { url: 'https://headwater-hooks.headwater.example.com' });
    await webhookAt('https://headwater-hooks.headwater.example.com');
    world.cluster.setStatus(reference, { url: 'http://headwater-hooks.headwater.svc.cluster.local' });
    await world.becomes('Ready=False NoPublicAddress');
    expect(world.message('Ready')).toContain('networking.knative.dev/visibility');
  });

  it('gives way to the one that is configured', async () => {
    world.cluster.apply(ingress(host));
    await start('https://configured.example.com');
    await webhookAt('https://configured.example.com');
    expect(hookUrls()).toHaveLength(1);
    await world.restart(options());
    await webhookAt(`https://${host}`);
  });

  it('is that of the Service of a source with an adapter of its own', async () => {
    world.cluster.apply(ingress(host));
    await world.start(options('https://configured.example.com'));
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/demo/default');
    world.source({ adapter: { mode: 'dedicated' } });
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'demo',
      name: 'hello-githubsource-adapter',
    };
    await world.holds(() => expect(world.cluster.find(deployment)).toBeDefined());
    const conditions = [{ type: 'Available', status: 'True' }];
    const replicas = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
    world.cluster.setStatus(deployment, { observedGeneration: 1, ...replicas, conditions });
    await world.becomes('Ready=False NoPublicAddress');
    expect(world.message('Ready')).toContain('port 80');
    const own = aRule('own.example.com', { path: '/hello' }, deployment.name);
    world.cluster.apply(anIngress({ rules: [own] }, { namespace: 'demo' }));
    await webhookAt('http://own.example.com/hello');
  });
});
