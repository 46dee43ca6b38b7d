import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface GoModule {
  readonly path: string;
  readonly version: string;
  /** As go.sum has it. Here it is held against what came: not every network leads to the database of sums. */
  readonly sum: string;
}

/** The folder of the files of a module, fetched where they are not there yet. */
export async function folderOf({ path, version, sum }: GoModule): Promise<string> {
  const cwd = join(import.meta.dirname, '../assets');
  const env = { ...process.env, GONOSUMDB: path };
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', `${path}@${version}`], { cwd, env });
  const module = JSON.parse(stdout) as { Dir: string; Sum: string };
  if (module.Sum !== sum) throw new Error(`${path}@${version} is not what it was: ${module.Sum}`);
  return module.Dir;
}
