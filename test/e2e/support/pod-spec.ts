/** What the tests' kubelet reads of a Pod; anything else in it changes nothing here. */
export interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
  };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly Container[];
    readonly nodeName?: string;
    readonly volumes?: readonly {
      readonly name: string;
      readonly projected?: { readonly sources: readonly Projection[] };
      readonly secret?: { readonly secretName: string };
      readonly configMap?: { readonly name: string };
    }[];
  };
  readonly status: { readonly podIP?: string };
}

export interface Container {
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: ValueSource }[];
  readonly ports: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe: Probe;
  readonly securityContext?: {
    readonly readOnlyRootFilesystem?: boolean;
    readonly allowPrivilegeEscalation?: boolean;
    readonly capabilities?: { readonly drop?: readonly string[] };
  };
}

/** With the API server's defaults. */
export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number };
  readonly tcpSocket?: { readonly port: string | number };
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

export interface Projection {
  readonly serviceAccountToken?: {
    readonly audience?: string;
    readonly expirationSeconds: number;
    readonly path: string;
  };
  readonly configMap?: Named;
  readonly secret?: Named;
  readonly downwardAPI?: { readonly items: readonly ({ readonly path: string } & FieldSource)[] };
}

interface Named {
  readonly name: string;
  /** undefined: all keys, each as a file of its name. */
  readonly items?: readonly { readonly key: string; readonly path: string }[];
}

export interface ValueSource extends FieldSource {
  readonly secretKeyRef?: { readonly name: string; readonly key: string };
}

interface FieldSource {
  readonly fieldRef?: { readonly fieldPath: string };
}

const fields: Readonly<Record<string, (pod: Pod) => string | undefined>> = {
  'metadata.name': ({ metadata }) => metadata.name,
  'metadata.namespace': ({ metadata }) => metadata.namespace,
  'metadata.uid': ({ metadata }) => metadata.uid,
  'status.podIP': ({ status }) => status.podIP,
};

/** @throws Error where the kubelet of the tests knows no such field */
export function fieldOf(pod: Pod, { fieldRef }: FieldSource): string {
  const value = fields[fieldRef?.fieldPath ?? '']?.(pod);
  if (value === undefined) throw new Error(`no field for ${JSON.stringify(fieldRef)} in the kubelet of the tests`);
  return value;
}

export function portOf({ ports }: Container, { httpGet, tcpSocket }: Probe): number {
  const port = (httpGet ?? tcpSocket)?.port;
  const found = ports.find(({ name }) => name === port)?.containerPort ?? Number(port);
  if (Number.isNaN(found)) throw new Error(`the probe's port ${port} is none of the container's`);
  return found;
}
