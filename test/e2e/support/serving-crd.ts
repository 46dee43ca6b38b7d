import { join } from 'node:path';
import { folderOf } from './go-module.ts';

const SERVING = {
  path: 'knative.dev/serving',
  version: 'v0.51.0',
  sum: 'h1:yN2Q7eYqJgoPfZkATjoBZyGbZ2P1Qhns9HIMU4mF+to=',
};

/** The file of Knative Serving's own definition of Service, from its Go module. */
export async function servingCrd(): Promise<string> {
  return join(await folderOf(SERVING), 'config/core/300-resources/service.yaml');
}
