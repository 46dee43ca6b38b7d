import type { Problem } from '../core/problem.ts';
import type { Wiring } from './model.ts';

/** What the files say. With any problem, `wiring` lacks what could not be read, and nothing should be made of it. */
export interface WiringRead {
  readonly wiring: Wiring;
  readonly problems: readonly Problem[];
  /** What a reader tolerates but people should know, such as errors by the schema of 0.8. */
  readonly warnings: readonly Problem[];
}

/**
 * Reads wiring files (`wire.yaml`, `wire.yml`, `wire.json`, or a name that ends so after a dot), the definitions they
 * name, and workflow definitions. `paths`: files, and folders whose files count (not those of folders in them). Files of
 * a folder that are neither are passed over; files with other objects of Kubernetes, too.
 * @throws ConfigurationError naming every path that is not there.
 */
export async function readWiring(paths: readonly string[]): Promise<WiringRead> {
  await Promise.resolve(paths);
  throw new Error('not written yet');
}
