import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MODULE = 'knative.dev/serving@v0.51.0';

/** The file of Knative Serving's own definition of Service, from its Go module. */
export async function servingCrd(): Promise<string> {
  const cwd = join(import.meta.dirname, '../assets');
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', MODULE], { cwd });
  const { Dir: folder } = JSON.parse(stdout) as { Dir: string };
  return join(folder, 'config/core/300-resources/service.yaml');
}
