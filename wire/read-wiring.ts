import { dirname, join } from 'node:path';
import { checkPaths } from '../core/manifest-paths.ts';
import type { Problem } from '../core/problem.ts';
import type { SourceDefinition } from '../sources/contract.ts';
import { sources } from '../sources/registry.ts';
import { wiredBroker } from './broker.ts';
import { type Definition, definitionIn, eventsElsewhere, workflowOf } from './definition.ts';
import { isObject, type Located, located, type Oddity, oddityAt, problemAt } from './definition-text.ts';
import type { WireSet, Wiring, Workflow } from './model.ts';
import { isWiringFile, readConfig } from './read-config.ts';
import { documentsIn, filesIn, type ReadText, textOfFile } from './read-files.ts';
import { readSet } from './read-set.ts';
import { schemaWarnings } from './schema-warnings.ts';

/** What the files say. With any problem, `wiring` lacks what could not be read, and nothing should be made of it. */
export interface WiringRead {
  readonly wiring: Wiring;
  readonly problems: readonly Problem[];
  /** What a reader tolerates but people should know, such as errors by a schema. */
  readonly warnings: readonly Oddity[];
  /** Every file that was read, or would have been were it there: when one of them changes, it is time to read again. */
  readonly files: readonly string[];
}

export interface ReadOptions {
  /** Whether definitions are held against the schemas of their languages, for warnings; loading one takes a second. */
  readonly checkSchemas?: boolean;
  /** The kinds of sources there are. */
  readonly definitions?: readonly SourceDefinition[];
}

/**
 * Reads wiring files (`wire.yaml`, `wire.yml`, `wire.json`, or a name that ends so after a dot), the definitions they
 * name, and workflow definitions. `paths`: files, and folders whose files count (not those of folders in them). Files of
 * a folder that are neither are passed over, such as manifests.
 * @throws ConfigurationError naming every path that is not there.
 */
export async function readWiring(paths: readonly string[], options: ReadOptions = {}): Promise<WiringRead> {
  await checkPaths(paths);
  const reader = new WiringReader(options);
  const files = await filesIn(paths);
  for (const file of files.filter(isWiringFile)) await reader.readSet(file);
  for (const file of files.filter((one) => !isWiringFile(one))) await reader.readLoose(file, paths.includes(file));
  return reader.end();
}

class WiringReader {
  readonly #options: ReadOptions;
  readonly #sets: WireSet[] = [];
  readonly #problems: Problem[] = [];
  readonly #warnings: Oddity[] = [];
  /** By file: what was found in it, or why nothing was; undefined: that is among the problems. */
  readonly #known = new Map<string, readonly Workflow[] | string | undefined>();
  /** Files that a wiring file names. */
  readonly #named = new Set<string>();
  readonly #loose: Workflow[] = [];
  readonly #files = new Set<string>();
  readonly #readText: ReadText = (file) => {
    this.#files.add(file);
    return textOfFile(file);
  };

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  async readSet(file: string): Promise<void> {
    const read = await this.#readText(file);
    const config = 'why' in read ? { problems: [{ file, line: 0, message: read.why }] } : readConfig(read.text, file);
    if ('problems' in config) {
      this.#problems.push(...config.problems);
      return;
    }
    const { definitions = sources } = this.#options;
    const workflowsIn = (path: string) => {
      this.#named.add(path);
      return this.#workflowsIn(path);
    };
    const context = { definitions, workflowsIn, readText: this.#readText };
    const { set, problems, warnings } = await readSet(file, config, context);
    this.#problems.push(...problems);
    this.#warnings.push(...warnings);
    const other = this.#sets.find(({ name }) => name === set.name);
    if (other) {
      const message = `${other.place.file} describes a set ${set.name} already: what one applies, the other would prune`;
      this.#problems.push(problemAt(config.placeOf(['name']), message));
    }
    this.#sets.push(set);
  }

  /** A file no wiring file names. `isAsked`: the user named it. */
  async readLoose(file: string, isAsked: boolean): Promise<void> {
    if (this.#named.has(file)) return;
    const found = await this.#workflowsIn(file);
    if (typeof found === 'string') {
      this.#problems.push({ file, line: 0, message: found });
    } else if (found !== undefined) {
      if (isAsked && found.length === 0)
        this.#warnings.push(
          oddityAt({ file, line: 1, column: 1 }, 'it is neither a wiring file nor a workflow definition'),
        );
      this.#loose.push(...found);
    }
  }

  end(): WiringRead {
    const [first] = this.#loose;
    const wiring = { sets: first ? [...this.#sets, nameless(first, this.#loose)] : this.#sets };
    return { wiring, problems: this.#problems, warnings: this.#warnings, files: [...this.#files] };
  }

  async #workflowsIn(file: string): Promise<readonly Workflow[] | string | undefined> {
    if (this.#known.has(file)) return this.#known.get(file);
    const read = await this.#readText(file);
    const found = 'why' in read ? read.why : await this.#workflowsOf(read.text, file);
    this.#known.set(file, found);
    return found;
  }

  async #workflowsOf(text: string, file: string): Promise<readonly Workflow[] | undefined> {
    const { documents, problems } = documentsIn(text, file);
    this.#problems.push(...problems);
    if (problems.length > 0) return undefined;
    const workflows: Workflow[] = [];
    for (const definition of documents.map((document) => definitionIn(file, document))) {
      if (!definition) continue;
      const { warnings, ...workflow } = workflowOf(definition, await this.#eventsOf(definition, file));
      workflows.push(workflow);
      this.#warnings.push(...warnings);
      if (this.#options.checkSchemas === true) this.#warnings.push(...(await schemaWarnings(definition)));
    }
    return workflows;
  }

  /** The events of a definition that has them in a file of their own. */
  async #eventsOf(definition: Definition, file: string): Promise<Located | undefined> {
    const elsewhere = eventsElsewhere(definition);
    if (!elsewhere) return undefined;
    const problem = (message: string) =>
      void this.#problems.push(problemAt(definition.text.placeOf(['events']), message));
    if (elsewhere.path === undefined) problem(`events are read from files only, not from ${elsewhere.uri}`);
    else {
      const path = join(dirname(file), elsewhere.path);
      const read = await this.#readText(path);
      if ('why' in read) problem(read.why);
      else {
        const [document] = documentsIn(read.text, path).documents;
        // A list alone is the list of events.
        const content = Array.isArray(document?.content) ? { events: document.content } : document?.content;
        if (document && isObject(content)) return located(path, document, [], content);
        problem(`${path} holds no events`);
      }
    }
    return undefined;
  }
}

/** The workflows that no wiring file names. */
function nameless(first: Workflow, workflows: readonly Workflow[]): WireSet {
  return {
    name: undefined,
    namespace: 'default',
    place: first.place,
    config: { name: '' },
    broker: wiredBroker({}, 'default', first.place),
    sources: [],
    external: [],
    workflows: workflows.map((workflow) => ({
      ...workflow,
      runtime: undefined,
      config: undefined,
      runsAt: workflow.place,
    })),
  };
}
