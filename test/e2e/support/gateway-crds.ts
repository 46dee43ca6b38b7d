import { join } from 'node:path';
import { folderOf } from './go-module.ts';

const GATEWAY_API = {
  path: 'sigs.k8s.io/gateway-api',
  version: 'v1.4.0',
  sum: 'h1:ZwlNM6zOHq0h3WUX2gfByPs2yAEsy/EenYJB78jpQfQ=',
};

/** The files of the Gateway API's own definitions of Gateway and HTTPRoute, from its Go module. */
export async function gatewayCrds(): Promise<readonly string[]> {
  const folder = join(await folderOf(GATEWAY_API), 'config/crd/standard');
  return ['gateways', 'httproutes'].map((plural) => join(folder, `gateway.networking.k8s.io_${plural}.yaml`));
}
