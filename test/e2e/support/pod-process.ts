import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ApiClient } from '../../../controller/kube/api-client.ts';
import type { PodNamespace } from './pod-network.ts';
import { type Container, fieldOf, type Pod, type Projection } from './pod-spec.ts';
import { Part } from './real-world.ts';

export interface ContainerSurroundings {
  readonly api: Pick<ApiClient, 'call'>;
  /** For the volumes of this pod. */
  readonly folder: string;
  readonly network: PodNamespace;
  /** Address and port of Service `kubernetes`. */
  readonly kubernetes: { readonly host: string; readonly port: number };
  /** A file of names and addresses, as DNS has them in a cluster. */
  readonly hosts: string;
  /** What runs in place of the image. */
  readonly command: readonly string[];
}

/** Starts what the pod's only container says: its variables, its mounts, its rights, in a network of its own. */
export async function startContainer(pod: Pod, container: Container, around: ContainerSurroundings): Promise<Part> {
  const mounts: string[] = [];
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const folder = join(around.folder, name);
    for (const source of sourcesOf(pod, name)) await project(pod, source, folder, around.api);
    mounts.push(folder, mountPath);
  }
  const isReadOnly = container.securityContext?.readOnlyRootFilesystem === true;
  const script = [
    'set -e',
    'mount -t tmpfs tmpfs /var/run',
    'mount --bind "$1" /etc/hosts; shift',
    'while [ "$1" != -- ]; do mkdir -p "$2"; mount --bind "$1" "$2"; shift 2; done; shift',
    isReadOnly ? 'mount -o remount,bind,ro /' : '',
    'exec "$@"',
  ].join('\n');
  const inNamespaces = ['ip', 'netns', 'exec', around.network.name, 'unshare', '--mount', 'sh', '-c', script, 'sh'];
  const command = [...inNamespaces, around.hosts, ...mounts, '--', ...rightsOf(container), ...around.command];
  return new Part(command, {
    ...(await variablesOf(pod, container, around.api)),
    KUBERNETES_SERVICE_HOST: around.kubernetes.host,
    KUBERNETES_SERVICE_PORT: String(around.kubernetes.port),
    HOSTNAME: pod.metadata.name,
  });
}

/** It stays root here, and reads a checkout whosever it is; of root's other rights it keeps none that its spec drops. */
function rightsOf({ securityContext = {} }: Container): readonly string[] {
  const { allowPrivilegeEscalation, capabilities } = securityContext;
  const dropped = capabilities?.drop?.includes('ALL') ? ['--bounding-set=-all,+dac_override', '--inh-caps=-all'] : [];
  return ['setpriv', ...(allowPrivilegeEscalation === false ? ['--no-new-privs'] : []), ...dropped];
}

/** Where the token of the pod's ServiceAccount is, outside of the pod; undefined: it has none. */
export function tokenFileIn(folder: string, { spec }: Pod): string | undefined {
  const [file] = (spec.volumes ?? []).flatMap(({ name, projected }) =>
    (projected?.sources ?? []).flatMap(({ serviceAccountToken: token }) =>
      token ? [join(folder, name, token.path)] : [],
    ),
  );
  return file;
}

async function variablesOf(pod: Pod, { env = [] }: Container, api: Pick<ApiClient, 'call'>) {
  const pairs = env.map(async ({ name, value = '', valueFrom }): Promise<[string, string]> => {
    const ref = valueFrom?.secretKeyRef;
    if (ref === undefined) return [name, valueFrom === undefined ? value : fieldOf(pod, valueFrom)];
    const values = await dataOf(pod, { kind: 'secrets', name: ref.name }, api);
    return [name, values[ref.key] ?? ''];
  });
  return Object.fromEntries(await Promise.all(pairs));
}

/** The values of a ConfigMap or a Secret, as text. */
async function dataOf(
  { metadata: { namespace } }: Pod,
  { kind, name }: { readonly kind: 'configmaps' | 'secrets'; readonly name: string },
  api: Pick<ApiClient, 'call'>,
): Promise<Readonly<Record<string, string>>> {
  const path = `/api/v1/namespaces/${namespace}/${kind}/${name}`;
  const { data = {} } = await api.call<{ data?: Record<string, string> }>('GET', path);
  const text = (value: string) => (kind === 'secrets' ? Buffer.from(value, 'base64').toString() : value);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, text(value)]));
}

function sourcesOf({ spec }: Pod, volume: string): readonly Projection[] {
  const { projected, secret, configMap } = spec.volumes?.find(({ name }) => name === volume) ?? {};
  if (projected) return projected.sources;
  if (secret) return [{ secret: { name: secret.secretName } }];
  if (configMap) return [{ configMap }];
  throw new Error(`the kubelet of the tests does not know what kind of volume ${volume} is`);
}

async function project(pod: Pod, source: Projection, folder: string, api: Pick<ApiClient, 'call'>): Promise<void> {
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const { serviceAccountToken, configMap, secret, downwardAPI } = source;
  if (serviceAccountToken) await write(serviceAccountToken.path, await tokenOf(pod, serviceAccountToken, api));
  for (const [kind, named] of [
    ['configmaps', configMap],
    ['secrets', secret],
  ] as const) {
    if (!named) continue;
    const values = await dataOf(pod, { kind, name: named.name }, api);
    const items = named.items ?? Object.keys(values).map((key) => ({ key, path: key }));
    for (const { key, path } of items) await write(path, values[key] ?? '');
  }
  for (const item of downwardAPI?.items ?? []) await write(item.path, fieldOf(pod, item));
}

/** Bound to the pod: it ends with it. */
async function tokenOf(
  { metadata, spec }: Pod,
  { audience, expirationSeconds }: NonNullable<Projection['serviceAccountToken']>,
  api: Pick<ApiClient, 'call'>,
): Promise<string> {
  const path = `/api/v1/namespaces/${metadata.namespace}/serviceaccounts/${spec.serviceAccountName}/token`;
  const { name, uid } = metadata;
  const { status } = await api.call<{ status: { token: string } }>('POST', path, {
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === undefined ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    },
  });
  return status.token;
}
