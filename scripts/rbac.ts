import { namesOf } from '../sources/crd.ts';
import { sources } from '../sources/registry.ts';

const READ = ['get', 'list', 'watch'];
export const SYSTEM_NAMESPACE = 'headwater';
export const ROUTES_NAMESPACE = 'headwater-routes';
const RBAC = 'rbac.authorization.k8s.io';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

const rule = (group: string, resources: readonly string[], verbs: readonly string[]): Rule => ({
  apiGroups: [group],
  resources,
  verbs,
});
const object = (kind: string, metadata: object, rest: object = {}) => ({
  apiVersion: `${RBAC}/v1`,
  kind,
  metadata,
  ...rest,
});
const account = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name, namespace: SYSTEM_NAMESPACE },
});
const subjects = (name: string) => [{ kind: 'ServiceAccount', name, namespace: SYSTEM_NAMESPACE }];
const roleRef = (kind: string, name: string) => ({ apiGroup: RBAC, kind, name });
const namespace = (name: string, labels: Readonly<Record<string, string>>) => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
/** The API server refuses pods that ask for more than ours need. */
const RESTRICTED = { 'pod-security.kubernetes.io/enforce': 'restricted' };

const CONTROLLER = 'headwater-controller';
const ADAPTER = 'headwater-adapter';
const ADDRESSABLE = 'headwater-addressable-resolver';

/** The rights of both planes, and nothing more; as the objects of a manifest. */
export function rightsOf(): readonly object[] {
  const namespaces = [SYSTEM_NAMESPACE, ROUTES_NAMESPACE].map((name) => namespace(name, RESTRICTED));
  return [...namespaces, ...controllerRights(), ...adapterRights(), sourceObserver()];
}

/** What config/namespaced gives the controller in a namespace it serves, in place of all of them. */
export function namespaceRightsOf(): readonly object[] {
  return [CONTROLLER, ADDRESSABLE].map((name) =>
    object('RoleBinding', { name }, { subjects: subjects(CONTROLLER), roleRef: roleRef('ClusterRole', name) }),
  );
}

/** What the controller needs beside them for sinks with an audience: to make ServiceAccounts, and tokens of any of them. */
export function tokenRightsOf(): readonly object[] {
  const name = `${CONTROLLER}-oidc`;
  const rules = [
    // Server-side apply.
    rule('', ['serviceaccounts'], ['create', 'patch']),
    rule('', ['serviceaccounts/token'], ['create']),
    ...ownerRights(),
  ];
  return clusterRole(name, rules);
}

/** Wanted only while sources come over from upstream: to remove the Knative Services it made for them. */
export function migrationRights(): readonly object[] {
  return clusterRole('headwater-migration', [rule('serving.knative.dev', ['services'], ['delete'])]);
}

/** What the controller needs beside them to make an adapter for a source, in whatever namespace that is. */
export function dedicatedRights(): readonly object[] {
  const made = [...READ, 'create', 'patch', 'delete'];
  return clusterRole('headwater-dedicated', [
    rule('', ['secrets', 'services'], made),
    rule('apps', ['deployments'], made),
    rule('serving.knative.dev', ['services'], made),
    ...ownerRights(),
    // What the adapter of a source whose user makes the webhook has seen.
    rule('discovery.k8s.io', ['endpointslices'], ['list']),
    // Whether Knative Serving lets an adapter say where it runs.
    { ...rule('', ['configmaps'], ['get']), resourceNames: ['config-features'] },
  ]);
}

/** To make objects whose owner is a source, where admission plugin OwnerReferencesPermissionEnforcement asks who may. */
function ownerRights(): Rule[] {
  return sourceGroups().map(({ group, plurals }) => rule(group, subresources('finalizers', plurals), ['update']));
}

function subresources(name: string, plurals: readonly string[]): string[] {
  return plurals.map((plural) => `${plural}/${name}`);
}

/** Given to the controller. */
function clusterRole(name: string, rules: readonly Rule[]): object[] {
  const binding = { subjects: subjects(CONTROLLER), roleRef: roleRef('ClusterRole', name) };
  return [object('ClusterRole', { name }, { rules }), object('ClusterRoleBinding', { name }, binding)];
}

/** What makes adapters public. */
const ADDRESSES = [
  rule('networking.k8s.io', ['ingresses'], ['list', 'watch']),
  rule('gateway.networking.k8s.io', ['gateways', 'httproutes'], ['list', 'watch']),
];

function controllerRights(): object[] {
  const ofSources = sourceGroups().flatMap(({ group, plurals }) => [
    rule(group, plurals, [...READ, 'patch']),
    rule(group, subresources('status', plurals), ['patch']),
  ]);
  const rules = [
    ...ofSources,
    // The Secrets that sources name; config/namespaced does without this one.
    rule('', ['secrets'], READ),
    rule('', ['services'], READ),
    rule('', ['events'], ['create', 'patch']),
    rule('eventing.knative.dev', ['brokers'], READ),
    rule('messaging.knative.dev', ['channels', 'inmemorychannels'], READ),
    rule('serving.knative.dev', ['services'], READ),
    ...ADDRESSES,
  ];
  // Whether the controllers that served these kinds before are at work, wherever they are.
  const everywhere = [rule('coordination.k8s.io', ['leases'], ['list'])];
  // Which kinds there are. Of the definitions nothing but their names is asked for.
  const definitions = [rule('apiextensions.k8s.io', ['customresourcedefinitions'], ['list', 'watch'])];
  const inSystem = [
    rule('coordination.k8s.io', ['leases'], ['get', 'create', 'update']),
    rule('', ['configmaps'], ['get', 'create', 'patch']),
    // Which adapters are ready.
    rule('discovery.k8s.io', ['endpointslices'], ['list', 'watch']),
    // Its own address, also where the rights above are given in some namespaces alone.
    ...ADDRESSES,
    rule('serving.knative.dev', ['services'], ['list', 'watch']),
  ];
  const inRoutes = [rule('', ['secrets'], [...READ, 'create', 'patch', 'delete'])];
  return [
    account(CONTROLLER),
    ...clusterRole(CONTROLLER, rules),
    ...clusterRole('headwater-upstream-leases', everywhere),
    ...clusterRole('headwater-definitions', definitions),
    // Whoever installs a kind of sink labels a role for it so (Knative's convention), and it can be read here.
    object(
      'ClusterRole',
      { name: ADDRESSABLE },
      {
        aggregationRule: { clusterRoleSelectors: [{ matchLabels: { 'duck.knative.dev/addressable': 'true' } }] },
        rules: [],
      },
    ),
    object(
      'ClusterRoleBinding',
      { name: ADDRESSABLE },
      { subjects: subjects(CONTROLLER), roleRef: roleRef('ClusterRole', ADDRESSABLE) },
    ),
    ...roleIn(SYSTEM_NAMESPACE, CONTROLLER, inSystem),
    ...roleIn(ROUTES_NAMESPACE, CONTROLLER, inRoutes),
  ];
}

/** Knative's source specification wants it: its own controllers read sources by all roles with this label. */
function sourceObserver(): object {
  const rules = sourceGroups().map(({ group, plurals }) => rule(group, plurals, READ));
  return object(
    'ClusterRole',
    { name: 'headwater-source-observer', labels: { 'duck.knative.dev/source': 'true' } },
    { rules },
  );
}

function sourceGroups(): readonly { readonly group: string; readonly plurals: readonly string[] }[] {
  return [...new Set(sources.map(({ group }) => group))].map((group) => ({
    group,
    plurals: sources.filter((source) => source.group === group).map((source) => namesOf(source).plural),
  }));
}

/** Reading the route Secrets is all an adapter may do. */
function adapterRights(): object[] {
  return [account(ADAPTER), ...roleIn(ROUTES_NAMESPACE, ADAPTER, [rule('', ['secrets'], READ)])];
}

function roleIn(where: string, name: string, rules: readonly Rule[]): object[] {
  const metadata = { name, namespace: where };
  return [
    object('Role', metadata, { rules }),
    object('RoleBinding', metadata, { subjects: subjects(name), roleRef: roleRef('Role', name) }),
  ];
}
