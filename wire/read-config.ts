import type { Problem } from '../core/problem.ts';
import { type Path, type SchemaNode, validatorOf } from '../core/schema.ts';
import { readDocuments } from '../core/yaml-text.ts';
import { type WireConfig, wireSchema } from './config.ts';
import { isObject, type Located, located } from './definition-text.ts';

/** A wiring file, and where each thing in it stands. */
export interface ConfigFile {
  readonly config: WireConfig;
  readonly placeOf: Located['placeOf'];
}

const WIRING_FILE = /(^|[/\\.])wire\.(ya?ml|json)$/;

/** Whether a file is a wiring file, by its name: `wire.yaml`, `shop.wire.yaml`. */
export function isWiringFile(file: string): boolean {
  return WIRING_FILE.test(file);
}

/** JSON as it is: typebox keeps things of its own in its schemas. */
const validate = validatorOf(JSON.parse(JSON.stringify(wireSchema)) as SchemaNode);

/** Reads one wiring file; of one that is off, why. */
export function readConfig(text: string, file: string): ConfigFile | { readonly problems: readonly Problem[] } {
  const [document, ...more] = readDocuments(text, { likeKubectl: false });
  const problem = (line: number, message: string): Problem => ({ file, line, message });
  if (!document) return { problems: [problem(1, 'it is empty: it needs at least a name')] };
  if ('mistakes' in document) return { problems: document.mistakes.map(({ line, message }) => problem(line, message)) };
  if (more.length > 0) return { problems: [problem(1, 'it holds several documents: make a file of each')] };
  const { content, positionOf } = document;
  if (!isObject(content)) return { problems: [problem(1, 'it must hold name, sources, workflows and so on')] };
  const problemAt = (path: Path, message: string) => problem(positionOf(path).line, message);
  const faults = validate(content);
  if (faults.length > 0) return { problems: faults.map(({ path, message }) => problemAt(path, message)) };
  return { config: content as unknown as WireConfig, placeOf: located(file, document, [], content).placeOf };
}
