import type { Route } from '../../core/route.ts';

export const ROUTE_LABEL = 'headwater.dev/route';

export function routeSecretName(uid: string): string {
  return `route-${uid.toLowerCase()}`;
}

/** The Secret that carries a route to adapters: one key, `<uid>.json`. */
export function routeSecret(route: Route, namespace: string): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'headwater.dev/route',
    metadata: {
      name: routeSecretName(route.uid),
      namespace,
      labels: { [ROUTE_LABEL]: 'true', 'app.kubernetes.io/managed-by': 'headwater' },
      annotations: { 'headwater.dev/source': `${route.kind} ${route.namespace}/${route.name}` },
    },
    data: { [`${route.uid}.json`]: Buffer.from(JSON.stringify(route)).toString('base64') },
  };
}

export function routeTextIn(
  secret: { readonly data?: Readonly<Record<string, string>> },
  uid: string,
): string | undefined {
  const data = secret.data?.[`${uid}.json`];
  return data === undefined ? undefined : Buffer.from(data, 'base64').toString('utf8');
}
