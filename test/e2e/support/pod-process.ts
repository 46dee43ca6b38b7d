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
    'while [ "$1" != -- ]; do mkdir -p "$2"; mount --bind "$1" "$2"; shift 2; done; shift',
    isReadOnly ? 'mount -o remount,bind,ro /' : '',
    'exec "$@"',
  ].join('\n');
  const inNamespaces = ['ip', 'netns', 'exec', around.network.name, 'unshare', '--mount', 'sh', '-c', script, 'sh'];
  const command = [...inNamespaces, ...mounts, '--', ...rightsOf(container), ...around.command];
  return new Part(command, {
    ...Object.fromEntries(
      (container.env ?? []).map(({ name, value, valueFrom }) => [
        name,
        valueFrom === undefined ? (value ?? '') : fieldOf(pod, valueFrom),
      ]),
    ),
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

function sourcesOf({ spec }: Pod, volume: string): readonly Projection[] {
  const sources = spec.volumes?.find(({ name }) => name === volume)?.projected?.sources;
  if (!sources) throw new Error(`the kubelet of the tests knows no volumes but projected ones, which ${volume} is not`);
  return sources;
}

async function project(pod: Pod, source: Projection, folder: string, api: Pick<ApiClient, 'call'>): Promise<void> {
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const { serviceAccountToken, configMap, downwardAPI } = source;
  if (serviceAccountToken) await write(serviceAccountToken.path, await tokenOf(pod, serviceAccountToken, api));
  if (configMap) {
    const path = `/api/v1/namespaces/${pod.metadata.namespace}/configmaps/${configMap.name}`;
    const { data } = await api.call<{ data: Record<string, string> }>('GET', path);
    for (const item of configMap.items) await write(item.path, data[item.key] ?? '');
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
