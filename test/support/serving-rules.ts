/** A pod template as far as the rules look at it. */
interface Template {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

interface PodSpec extends Fields {
  readonly automountServiceAccountToken?: boolean;
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly secret?: object; readonly configMap?: object }[];
}

interface Container extends Fields {
  readonly env?: readonly { readonly name: string; readonly valueFrom?: { readonly fieldRef?: object } }[];
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
  readonly securityContext?: Fields & { readonly capabilities?: Fields };
  readonly livenessProbe?: Probe;
}

interface Probe {
  readonly httpGet?: { readonly port: number | string };
  readonly tcpSocket?: { readonly port: number | string };
}

type Fields = object;

/** `pkg/apis/serving/fieldmask.go` and `k8s_validation.go` of Knative Serving 1.21 (module v0.51.0). */
const POD = ['serviceAccountName', 'containers', 'volumes', 'imagePullSecrets', 'enableServiceLinks'];
const CONTAINER =
  'name args command env workingDir envFrom image imagePullPolicy livenessProbe ports readinessProbe resources securityContext startupProbe terminationMessagePath terminationMessagePolicy volumeMounts'.split(
    ' ',
  );
const SECURITY =
  'capabilities readOnlyRootFilesystem runAsUser runAsGroup runAsNonRoot allowPrivilegeEscalation seccompProfile'.split(
    ' ',
  );
const RESERVED_VARIABLES = ['PORT', 'K_SERVICE', 'K_CONFIGURATION', 'K_REVISION'];
const RESERVED_PORTS = [8008, 8012, 8013, 8022, 9090, 9091];
const RESERVED_PATHS = ['/', '/dev', '/dev/log'];
const FEATURES: Readonly<Record<string, string>> = {
  nodeSelector: 'kubernetes.podspec-nodeselector',
  tolerations: 'kubernetes.podspec-tolerations',
};

/**
 * Why Knative Serving's webhook would refuse a Service, or its controller run it otherwise, a sentence each; `enabled`: by
 * `config-features`.
 */
export function servingFaults(service: object, enabled: readonly string[] = []): readonly string[] {
  const { metadata, spec } = service as {
    metadata: { name: string; annotations?: Record<string, string> };
    spec: { template: Template };
  };
  const { template } = spec;
  const allowed = [...POD, ...Object.keys(FEATURES).filter((name) => enabled.includes(FEATURES[name] ?? ''))];
  const pod = { ...template.spec };
  // It may be set to false only.
  if (pod.automountServiceAccountToken === false) allowed.push('automountServiceAccountToken');
  const scaling = Object.keys(metadata.annotations ?? {}).filter((name) => name.startsWith('autoscaling.knative.dev/'));
  return [
    ...(/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(metadata.name) && metadata.name.length <= 63
      ? []
      : ['not a DNS 1035 label']),
    ...scaling.map((name) => `autoscaling annotations must be put under spec.template: ${name}`),
    ...beside(pod, allowed),
    ...(pod.containers.length === 1 ? [] : ['more than one container']),
    ...pod.containers.flatMap((container) => containerFaults(container, pod)),
  ];
}

function containerFaults(container: Container, { volumes = [] }: PodSpec): string[] {
  const { env = [], ports = [], volumeMounts = [], securityContext = {} } = container;
  const mounted = new Set(volumeMounts.map(({ name }) => name));
  return [
    ...beside(container, CONTAINER),
    ...beside(securityContext, SECURITY),
    ...beside(securityContext.capabilities ?? {}, ['drop']),
    ...env.filter(({ name }) => RESERVED_VARIABLES.includes(name)).map(({ name }) => `${name} is reserved`),
    ...env.filter(({ valueFrom }) => valueFrom?.fieldRef).map(({ name }) => `fieldRef of ${name}`),
    ...(ports.length > 1 ? ['more than one container port is set'] : []),
    ...ports
      .filter(({ name = '' }) => !['', 'h2c', 'http1'].includes(name))
      .map(({ name }) => `port name ${name} is not allowed`),
    ...ports.filter(({ containerPort }) => RESERVED_PORTS.includes(containerPort)).map(() => 'reserved port'),
    ...livenessFaults(container),
    ...volumes.filter(({ name }) => !mounted.has(name)).map(({ name }) => `volume ${name} not mounted`),
    ...volumeMounts.filter(({ readOnly }) => !readOnly).map(({ name }) => `mount ${name} should be readOnly`),
    ...volumeMounts.filter(({ mountPath }) => RESERVED_PATHS.includes(mountPath)).map(() => 'reserved path'),
  ];
}

/** `rewriteUserLivenessProbe` of `pkg/reconciler/revision/resources/deploy.go`: kubelet asks the container's port. */
function livenessFaults({ livenessProbe: { httpGet, tcpSocket } = {}, ports = [] }: Container): string[] {
  const port = (httpGet ?? tcpSocket)?.port;
  const containerPort = ports[0]?.containerPort ?? 8080;
  return port === undefined || port === containerPort ? [] : [`livenessProbe is sent to port ${containerPort}`];
}

function beside(fields: Fields, allowed: readonly string[]): string[] {
  return Object.keys(fields)
    .filter((name) => !allowed.includes(name))
    .map((name) => `must not set the field ${name}`);
}
