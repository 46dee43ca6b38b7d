import type { Route } from '../../core/route.ts';
import type { SourceObject } from '../objects.ts';
import { type ChildObject, childMetadata, childNameOf } from './child.ts';

export function adapterRouteName(source: SourceObject): string {
  return childNameOf(source, '-route');
}

/** The key of the Secret: the name of the file that the adapter reads. */
export function adapterRouteKey({ metadata: { uid } }: SourceObject): string {
  return `${uid}.json`;
}

/** The Secret beside a source's own adapter, which mounts it. */
export function adapterRoute(source: SourceObject, route: Route): ChildObject & { readonly data: object } {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: childMetadata(source, adapterRouteName(source)),
    data: { [adapterRouteKey(source)]: Buffer.from(JSON.stringify(route)).toString('base64') },
  };
}
