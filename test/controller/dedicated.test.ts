import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AdapterMoves } from '../../controller/adapter-moves.ts';
import type { KubeObject, ObjectReference } from '../../controller/objects.ts';
import type { Route } from '../../core/route.ts';
import { anIngress, aRule } from '../support/public-objects.ts';
import { FIRST_GENERATION, type Options, PUBLIC_URL, UID, World } from '../support/world.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.end());

const NAME = 'hello-githubsource';
const KSVC = { apiVersion: 'serving.knative.dev/v1', kind: 'Service', namespace: 'demo', name: NAME };
const DEPLOYMENT = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'demo', name: `${NAME}-adapter` };
const SERVICE = { apiVersion: 'v1', kind: 'Service', namespace: 'demo', name: `${NAME}-adapter` };
const SECRET = { apiVersion: 'v1', kind: 'Secret', namespace: 'demo', name: `${NAME}-route` };
const OWN_URL = 'https://hello-githubsource.demo.example.com';
const DEDICATED = { adapter: { mode: 'dedicated' } };

function options(image = 'headwater-adapter:1'): Options {
  return {
    adapter: {
      dedicated: { image, env: { LOG_LEVEL: 'debug' } },
      defaultMode: 'shared',
      publicUrlFor: () => PUBLIC_URL,
      publicUrlAdvice: 'set PUBLIC_URL',
    },
  };
}

async function ownRoute(): Promise<Route | undefined> {
  const found = await world.cluster.readSecretKey('demo', { name: SECRET.name, key: `${UID}.json` });
  return found.found === 'value' ? (JSON.parse(found.value) as Route) : undefined;
}

/** As Serving says that the newest revision is ready. */
async function knativeServiceIsReady(url = OWN_URL): Promise<void> {
  await world.holds(() => expect(world.cluster.find(KSVC)).toBeDefined());
  world.cluster.setStatus(KSVC, {
    observedGeneration: world.cluster.find(KSVC)?.metadata.generation,
    url,
    address: { url: `http://${NAME}.demo.svc.cluster.local` },
    conditions: [{ type: 'Ready', status: 'True' }],
  });
}

interface Template {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly serviceAccountName?: string;
    readonly nodeSelector?: object;
    readonly containers: readonly { readonly image: string }[];
  };
}

function templateOf(reference: ObjectReference): Template | undefined {
  const { spec } = (world.cluster.find(reference) ?? {}) as { spec?: { template: Template } };
  return spec?.template;
}

const digest = () => templateOf(KSVC)?.metadata.annotations['headwater.dev/route-digest'];
const hookUrls = () => world.github.hooks.map(({ config }) => config.url);

async function startDedicated(spec: object = DEDICATED): Promise<void> {
  await world.start(options());
  world.children.serving = true;
  world.secret({ accessToken: 'token', secretToken: 's3cret' });
  world.broker('http://broker.example.com/demo/default');
  world.source(spec);
  await knativeServiceIsReady();
  await world.becomes('Ready=True');
}

describe('a source with an adapter of its own', () => {
  it('has a Knative Service, its route beside it, and a webhook there', async () => {
    await startDedicated();
    expect(hookUrls()).toEqual([`${OWN_URL}/hooks/${UID}`]);
    expect(world.status().webhookURL).toBe(`${OWN_URL}/hooks/${UID}`);
    expect(await ownRoute()).toMatchObject({
      uid: UID,
      generation: FIRST_GENERATION,
      sink: { url: expect.any(String) as string },
    });
    expect(world.routes.get(UID)).toBeUndefined();
    expect(world.cluster.find(DEPLOYMENT)).toBeUndefined();
    expect(world.cluster.find(KSVC)?.metadata.ownerReferences).toMatchObject([{ kind: 'GitHubSource', uid: UID }]);
  });

  it('has no webhook before its adapter has started', async () => {
    await world.start(options());
    world.children.serving = true;
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/demo/default');
    world.source(DEDICATED);
    await world.becomes('Deployed=Unknown RolloutUnderWay');
    expect(world.github.calls).toEqual([]);
    world.cluster.setStatus(KSVC, {
      observedGeneration: 1,
      conditions: [{ type: 'Ready', status: 'False', reason: 'RevisionFailed', message: 'no such image' }],
    });
    await world.becomes('Ready=False RolloutFailed');
    expect(world.message('Ready')).toContain('RevisionFailed: no such image');
    await knativeServiceIsReady();
    await world.becomes('Ready=True');
  });

  it('is written once, and again when somebody else changed it', async () => {
    await startDedicated();
    const written = world.children.writes.length;
    await world.lookAgain();
    await world.lookAgain();
    expect(world.children.writes).toHaveLength(written);
    const { metadata } = world.cluster.find(KSVC) as KubeObject;
    world.cluster.apply({ ...KSVC, metadata, spec: { template: { spec: { containers: [{ image: 'other' }] } } } });
    await world.holds(() => expect(templateOf(KSVC)?.spec.containers[0]?.image).toBe('headwater-adapter:1'));
    await world.becomes('Ready=Unknown RolloutUnderWay');
  });

  it('gets new pods by an edit, and its webhook after them', async () => {
    await startDedicated();
    const before = digest();
    world.source({ ...DEDICATED, eventTypes: ['star'] });
    await world.becomes('Ready=Unknown RolloutUnderWay');
    expect(digest()).not.toBe(before);
    expect(world.github.hooks[0]?.events).toEqual(['push', 'issues']);
    await knativeServiceIsReady();
    await world.becomes('Ready=True');
    expect(world.github.hooks[0]?.events).toEqual(['star']);
  });

  it('keeps its pods when the token of its sink is renewed', async () => {
    await startDedicated();
    world.tokens.mode = 'giving';
    world.source({ ...DEDICATED, sink: { uri: 'https://sink.example.com/', audience: 'me' } });
    await world.becomes('Ready=Unknown RolloutUnderWay');
    await knativeServiceIsReady();
    await world.becomes('Ready=True');
    const [pods, token] = [digest(), (await ownRoute())?.sink?.token];
    world.now = new Date(world.now.getTime() + 2_500_000);
    expect(world.tokens.requests).toEqual(['me']);
    await world.lookAgain();
    await world.holds(async () => expect((await ownRoute())?.sink?.token).not.toBe(token));
    expect(digest()).toBe(pods);
    expect(world.condition('Ready')).toBe('Ready=True');
  });

  it('gets the image and the settings of a new controller', async () => {
    await startDedicated();
    await world.restart(options('headwater-adapter:2'));
    await world.holds(() => expect(templateOf(KSVC)?.spec.containers[0]?.image).toBe('headwater-adapter:2'));
  });

  it('gets its route back when somebody wrote that of another source in its place', async () => {
    await startDedicated();
    const foreign = { ...(await ownRoute()), uid: 'another', secretTokens: [{ value: 'theirs' }] };
    const { metadata } = world.cluster.find(SECRET) as KubeObject;
    const data = new Map([[`${UID}.json`, Buffer.from(JSON.stringify(foreign))]]);
    world.cluster.apply({ ...SECRET, metadata, data });
    await world.holds(async () => expect(await ownRoute()).toMatchObject({ uid: UID }));
    expect((await ownRoute())?.secretTokens.map(({ value }) => value)).toEqual(['s3cret']);
  });

  it('accepts a replaced secret for a while, without other pods for its end', async () => {
    await startDedicated();
    world.secret({ accessToken: 'token', secretToken: 'new' });
    await world.becomes('Ready=Unknown RolloutUnderWay');
    await knativeServiceIsReady();
    await world.becomes('Ready=True');
    await world.holds(async () =>
      expect((await ownRoute())?.secretTokens).toMatchObject([
        { value: 'new' },
        { value: 's3cret', validUntil: expect.any(String) as string },
      ]),
    );
    const pods = digest();
    await world.lookAgain();
    expect(digest()).toBe(pods);
    expect(world.github.hooks[0]?.config.secret).toBe('new');
  });

  it('keeps the scheme spec.secure asks for', async () => {
    await startDedicated({ ...DEDICATED, secure: false });
    const plain = `${OWN_URL.replace('https:', 'http:')}/hooks/${UID}`;
    expect(hookUrls()).toEqual([plain]);
    world.source({ ...DEDICATED, secure: false, eventTypes: ['star'] });
    await world.becomes('Ready=Unknown RolloutUnderWay');
    await knativeServiceIsReady();
    await world.becomes('Ready=True');
    expect(hookUrls()).toEqual([plain]);
  });

  it('takes over a webhook of any path on its own host', async () => {
    await world.open();
    const config = { url: `${OWN_URL}/by/hand`, content_type: 'json', insecure_ssl: '0', secret: 'x' };
    const hook = { id: 7, repository: 'octo/hello', active: true, events: ['push'], config, updatedAt: world.now };
    world.github.hooks.push(hook);
    await startDedicated();
    expect(hookUrls()).toEqual([`${OWN_URL}/hooks/${UID}`]);
    expect(world.github.hooks[0]?.id).toBe(7);
  });

  it('goes with its webhook, its adapter and its route', async () => {
    await startDedicated();
    world.cluster.delete(world.reference());
    await world.isGone();
    expect(world.github.hooks).toEqual([]);
    for (const child of [KSVC, SECRET]) expect(world.cluster.find(child)).toBeUndefined();
  });
});

describe('an adapter of one source cannot be made', () => {
  async function startIt(spec: object = DEDICATED): Promise<void> {
    await world.start(options());
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/demo/default');
    world.source(spec);
  }

  for (const kind of ['Secret', 'Service', 'Deployment']) {
    it(`without the right to make a ${kind}`, async () => {
      world.children.refusals.set(kind, { kind: 'forbidden', why: 'cannot patch' });
      await startIt();
      await world.becomes('Ready=False DedicatedNotEnabled');
      expect(world.message('Deployed')).toContain('config/dedicated');
    });
  }

  it("when Serving refuses it, which is said in Serving's words", async () => {
    world.children.serving = true;
    world.children.refusals.set('Service', { kind: 'refused', why: 'invalid value: x: spec.template' });
    await startIt();
    await world.becomes('Ready=False AdapterRefused');
    expect(world.message('Deployed')).toContain('invalid value: x: spec.template');
    world.children.refusals.clear();
    await knativeServiceIsReady();
    await world.becomes('Ready=True');
  });

  const others = [
    { owner: 'nobody', ownerReferences: undefined },
    {
      owner: 'another source',
      ownerReferences: [
        {
          apiVersion: 'sources.knative.dev/v1alpha1',
          kind: 'GitHubSource',
          name: 'hello',
          uid: 'before',
          controller: true,
        },
      ],
    },
  ];
  for (const { owner, ownerReferences } of others) {
    it(`where its name is taken by what belongs to ${owner}, and stays as it is`, async () => {
      world.children.serving = true;
      const metadata = { name: NAME, namespace: 'demo', uid: 'of-somebody', ownerReferences };
      world.cluster.apply({ ...KSVC, metadata, spec: { of: 'somebody' } });
      await startIt();
      await world.becomes('Ready=False AdapterNameTaken');
      expect(world.cluster.find(KSVC)?.spec).toEqual({ of: 'somebody' });
    });
  }

  it("where the name of its route is somebody's Secret, which stays as it is", async () => {
    world.children.serving = true;
    const metadata = { name: SECRET.name, namespace: 'demo', uid: 'of-somebody' };
    world.cluster.apply({ ...SECRET, metadata, data: new Map([['key', Buffer.from('theirs')]]) });
    await startIt();
    await world.becomes('Ready=False AdapterNameTaken');
    expect(world.message('Deployed')).toContain(`Secret ${SECRET.name} is there already`);
    expect(world.cluster.find(SECRET)?.metadata.ownerReferences).toBeUndefined();
    expect(await ownRoute()).toBeUndefined();
    expect(world.cluster.find(KSVC)).toBeUndefined();
  });

  it('where only the cluster could reach it', async () => {
    world.children.serving = true;
    await startIt();
    await knativeServiceIsReady(`http://${NAME}.demo.svc.cluster.local`);
    await world.becomes('Ready=False NoPublicAddress');
    expect(world.github.calls).toEqual([]);
  });
});

describe('where an adapter runs', () => {
  const placed = { adapter: { mode: 'dedicated', nodeSelector: { zone: 'a' } } };

  it('is said not to be kept where Serving does not admit it', async () => {
    await startDedicated(placed);
    expect(world.condition('Deployed')).toBe('Deployed=True PlacementNotHonoured');
    expect(world.message('Deployed')).toContain('kubernetes.podspec-nodeselector');
    expect(templateOf(KSVC)?.spec).not.toHaveProperty('nodeSelector');
  });

  it('is as the source says where Serving admits it', async () => {
    world.children.features = { 'kubernetes.podspec-nodeselector': 'enabled' };
    await startDedicated(placed);
    expect(world.condition('Deployed')).toBe('Deployed=True');
    expect(templateOf(KSVC)?.spec.nodeSelector).toEqual({ zone: 'a' });
  });
});

describe('a switch of modes', () => {
  it('to an own adapter keeps the webhook, and the shared route until it has moved', async () => {
    await world.startReady({}, options());
    world.children.serving = true;
    const [hook] = world.github.hooks;
    world.source(DEDICATED);
    await world.becomes('Ready=Unknown RolloutUnderWay');
    expect(world.routes.get(UID)).toBeDefined();
    expect(hookUrls()).toEqual([`${PUBLIC_URL}/hooks/${UID}`]);
    await knativeServiceIsReady();
    await world.becomes('Ready=True');
    expect(hookUrls()).toEqual([`${OWN_URL}/hooks/${UID}`]);
    expect(world.github.hooks[0]?.id).toBe(hook?.id);
    await world.holds(() => expect(world.routes.get(UID)).toBeUndefined());
  });

  it('keeps the old route up to date while it serves', async () => {
    await world.startReady({}, options());
    world.children.serving = true;
    world.source(DEDICATED);
    await world.becomes('Ready=Unknown RolloutUnderWay');
    world.broker('http://broker.example.com/other');
    await world.holds(() => expect(world.routes.get(UID)?.sink?.url).toBe('http://broker.example.com/other'));
  });

  it('back to the shared one removes the own one when the webhook has moved', async () => {
    await startDedicated();
    const [hook] = world.github.hooks;
    world.served = null;
    world.source({ adapter: { mode: 'shared' } });
    await world.becomes('Ready=False MissingReceiveAdapter');
    for (const child of [KSVC, SECRET]) expect(world.cluster.find(child)).toBeDefined();
    world.served = undefined;
    world.adaptersChanged(1);
    await world.becomes('Ready=True');
    expect(hookUrls()).toEqual([`${PUBLIC_URL}/hooks/${UID}`]);
    expect(world.github.hooks[0]?.id).toBe(hook?.id);
    await world.holds(() => {
      for (const child of [KSVC, SECRET]) expect(world.cluster.find(child)).toBeUndefined();
    });
  });

  it('leaves the old adapter some time for what is under way', async () => {
    await world.startReady({}, { ...options(), moves: new AdapterMoves(200) });
    world.children.serving = true;
    world.source(DEDICATED);
    await knativeServiceIsReady();
    await world.becomes('Ready=True');
    await world.holds(() => expect(hookUrls()).toEqual([`${OWN_URL}/hooks/${UID}`]));
    expect(world.routes.get(UID)).toBeDefined();
    await world.holds(() => expect(world.routes.get(UID)).toBeUndefined());
  });

  it('leaves the Deployment as much time, when Knative Serving comes', async () => {
    await world.start({ ...options(), moves: new AdapterMoves(200) });
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/demo/default');
    world.source(DEDICATED);
    await world.becomes('Deployed=Unknown RolloutUnderWay');
    world.cluster.setStatus(DEPLOYMENT, {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      availableReplicas: 1,
    });
    const rules = [aRule('own.example.com', {}, DEPLOYMENT.name)];
    world.cluster.apply(anIngress({ tls: [{ hosts: ['own.example.com'] }], rules }, { namespace: 'demo' }));
    await world.becomes('Ready=True');
    world.children.serving = true;
    world.source({ ...DEDICATED, eventTypes: ['star'] });
    await knativeServiceIsReady();
    await world.holds(() => expect(hookUrls()).toEqual([`${OWN_URL}/hooks/${UID}`]));
    for (const old of [DEPLOYMENT, SERVICE]) expect(world.cluster.find(old)).toBeDefined();
    await world.holds(() => {
      for (const old of [DEPLOYMENT, SERVICE]) expect(world.cluster.find(old)).toBeUndefined();
    });
    expect(await ownRoute()).toBeDefined();
  });

  it('says what it may not remove', async () => {
    await startDedicated();
    world.children.refusals.set('Service', { kind: 'forbidden', why: 'cannot delete' });
    world.source({ adapter: { mode: 'shared' } });
    await world.holds(() =>
      expect(world.announcements).toContainEqual({
        type: 'Warning',
        reason: 'OldReceiveAdapterRemains',
        message: expect.stringContaining('cannot delete') as string,
      }),
    );
    expect(world.cluster.find(SECRET)).toBeDefined();
  });
});

describe('without Knative Serving', () => {
  it('an adapter of one source is a Deployment and a Service', async () => {
    await world.start(options());
    world.secret({ accessToken: 'token', secretToken: 's3cret' });
    world.broker('http://broker.example.com/demo/default');
    world.source({ ...DEDICATED, serviceAccountName: 'runner' });
    await world.becomes('Deployed=Unknown RolloutUnderWay');
    expect(templateOf(DEPLOYMENT)?.spec.serviceAccountName).toBe('runner');
    expect(world.cluster.find(SERVICE)?.spec).toMatchObject({ selector: { 'headwater.dev/source-uid': UID } });
    const all = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
    world.cluster.setStatus(DEPLOYMENT, { observedGeneration: 1, ...all });
    await world.becomes('Ready=False NoPublicAddress');
    expect(world.github.calls).toEqual([]);
  });
});

describe('a source whose user makes the webhook', () => {
  it('is ready when its own adapter saw the first delivery', async () => {
    await world.start(options());
    world.children.serving = true;
    world.secret({ secretToken: 's3cret' });
    world.broker('http://broker.example.com/demo/default');
    world.source({ ...DEDICATED, accessToken: undefined });
    await knativeServiceIsReady();
    await world.becomes('Ready=Unknown WaitingForDelivery');
    expect(world.status().webhookURL).toBe(`${OWN_URL}/hooks/${UID}`);
    const lastAuthentic = { time: '2026-01-01T00:00:01.000Z', secretToken: 0, generation: FIRST_GENERATION };
    world.children.states = [{ generation: FIRST_GENERATION, lastAuthentic }];
    await world.becomes('Ready=True');
  });
});
