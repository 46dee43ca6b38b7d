import type { Route } from '../../core/route.ts';
import type { PublishedRoute } from '../cluster.ts';

export const ROUTE_LABEL = 'headwater.dev/route';
/** Whose route it is: two controllers may share a namespace for routes. */
export const CONTROLLER_LABEL = 'headwater.dev/controller';
const SOURCE = 'headwater.dev/source';
const UID = 'headwater.dev/uid';

type Labels = Readonly<Record<string, string>>;

export function routeSecretName(uid: string): string {
  return `route-${uid.toLowerCase()}`;
}

/** The Secret that carries a route to adapters: one key, `<uid>.json`. */
export function routeSecret(route: Route, namespace: string, controller: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'headwater.dev/route',
    metadata: {
      name: routeSecretName(route.uid),
      namespace,
      labels: { [ROUTE_LABEL]: 'true', [CONTROLLER_LABEL]: controller, 'app.kubernetes.io/managed-by': 'headwater' },
      annotations: { [SOURCE]: `${route.kind}/${route.namespace}/${route.name}`, [UID]: route.uid },
    },
    data: { [`${route.uid}.json`]: Buffer.from(JSON.stringify(route)).toString('base64') },
  };
}

/** undefined: it carries none that adapters would find. */
export function routeTextIn(
  { metadata, data: all }: { readonly metadata: { readonly labels?: Labels }; readonly data?: Labels },
  uid: string,
): string | undefined {
  const data = metadata.labels?.[ROUTE_LABEL] === 'true' ? all?.[`${uid}.json`] : undefined;
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8');
}

/** Whose route a Secret carries, by its metadata alone; undefined: it does not say. */
export function ownerOf({
  annotations = {},
}: {
  readonly annotations?: Readonly<Record<string, string>>;
}): PublishedRoute | undefined {
  const [kind, namespace, name] = (annotations[SOURCE] ?? '').split('/');
  const uid = annotations[UID];
  return kind && namespace && name && uid ? { uid, kind, namespace, name } : undefined;
}
