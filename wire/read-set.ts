import { dirname, join } from 'node:path';
import { didYouMean } from '../core/closest.ts';
import type { Problem } from '../core/problem.ts';
import type { SourceDefinition } from '../sources/contract.ts';
import { wiredBroker } from './broker.ts';
import type { WorkflowConfig } from './config.ts';
import { type Oddity, problemAt } from './definition-text.ts';
import type { WiredSource, WiredWorkflow, WireSet, Workflow } from './model.ts';
import type { ConfigFile } from './read-config.ts';
import type { ReadText } from './read-files.ts';
import { readKnativeService, runtimeOf } from './runtime.ts';
import { nameFrom, wiredSource } from './sources.ts';

export interface SetContext {
  readonly definitions: readonly SourceDefinition[];
  readonly readText: ReadText;
  /** The workflows in a file, or why there are none; a sentence. undefined: that is said already. */
  readonly workflowsIn: (file: string) => Promise<readonly Workflow[] | string | undefined>;
}

/** The set a wiring file describes. */
export async function readSet(file: string, { config, placeOf }: ConfigFile, context: SetContext) {
  const reader = new SetReader(file, { config, placeOf }, context);
  const set = await reader.read();
  return { set, problems: reader.problems, warnings: reader.warnings };
}

class SetReader {
  readonly problems: Problem[] = [];
  readonly warnings: Oddity[] = [];
  readonly #file: string;
  readonly #placeOf: ConfigFile['placeOf'];
  readonly #config: ConfigFile['config'];
  readonly #context: SetContext;
  readonly #namespace: string;

  constructor(file: string, { config, placeOf }: ConfigFile, context: SetContext) {
    this.#file = file;
    this.#config = config;
    this.#placeOf = placeOf;
    this.#context = context;
    this.#namespace = config.namespace ?? 'default';
  }

  async read(): Promise<WireSet> {
    const config = this.#config;
    const sources = await this.#sources();
    const workflows = await this.#workflows(sources);
    this.#refuseTwice('sources', sources);
    return {
      name: config.name,
      namespace: this.#namespace,
      place: this.#placeOf([]),
      config,
      broker: wiredBroker(config, this.#namespace, this.#placeOf(['broker'])),
      sources,
      external: (config.external ?? []).map((one, index) => ({ ...one, place: this.#placeOf(['external', index]) })),
      workflows,
    };
  }

  async #sources(): Promise<WiredSource[]> {
    const sources: WiredSource[] = [];
    for (const [index, entry] of (this.#config.sources ?? []).entries()) {
      const { definitions } = this.#context;
      const placeOf: ConfigFile['placeOf'] = (path) => this.#placeOf(['sources', index, ...path]);
      const read = await wiredSource(entry, { definitions, namespace: this.#namespace, placeOf });
      this.problems.push(...read.problems);
      this.warnings.push(...read.warnings);
      if (read.source) sources.push(read.source);
    }
    return sources;
  }

  async #workflows(sources: readonly WiredSource[]): Promise<WiredWorkflow[]> {
    const workflows: WiredWorkflow[] = [];
    for (const [index, entry] of (this.#config.workflows ?? []).entries()) {
      const found = await this.#workflowOf(entry, index);
      if (!found) continue;
      this.#checkSourceNames(entry, index, sources);
      const manifest = await this.#manifestOf(entry, index, found.name);
      const runtime = runtimeOf(entry, found.name, manifest);
      workflows.push({ ...found, runtime, config: entry, runsAt: this.#placeOf(['workflows', index]) });
    }
    return workflows;
  }

  async #workflowOf(entry: WorkflowConfig, index: number): Promise<Workflow | undefined> {
    const place = this.#placeOf(['workflows', index, 'file']);
    const file = join(dirname(this.#file), entry.file);
    const found = await this.#context.workflowsIn(file);
    if (found === undefined) return undefined;
    if (typeof found === 'string') this.problems.push(problemAt(place, found));
    else if (found.length === 0) this.problems.push(problemAt(place, `${file} holds no workflow definition`));
    else if (found.length > 1)
      this.problems.push(problemAt(place, `${file} holds ${found.length} workflow definitions: make a file of each`));
    return typeof found === 'string' || found.length > 1 ? undefined : found[0];
  }

  #checkSourceNames(entry: WorkflowConfig, index: number, sources: readonly WiredSource[]): void {
    const names = sources.map(({ name }) => name);
    for (const [at, name] of (entry.sources ?? []).entries()) {
      if (names.includes(name)) continue;
      const hint = didYouMean(name, names) || `; sources here: ${names.join(', ') || 'none'}`;
      this.problems.push(
        problemAt(this.#placeOf(['workflows', index, 'sources', at]), `there is no source ${name}${hint}`),
      );
    }
  }

  async #manifestOf(entry: WorkflowConfig, index: number, workflowName: string) {
    if (entry.manifest === undefined) return undefined;
    const name = entry.service ?? nameFrom(workflowName);
    const file = join(dirname(this.#file), entry.manifest);
    const read = await readKnativeService(file, { name, namespace: this.#namespace }, this.#context.readText);
    if ('manifest' in read) return read.manifest;
    for (const problem of read.problems)
      this.problems.push(
        'file' in problem ? problem : problemAt(this.#placeOf(['workflows', index, ...problem.at]), problem.message),
      );
    return undefined;
  }

  #refuseTwice(what: string, named: readonly { readonly name: string; readonly place: WiredSource['place'] }[]): void {
    const seen = new Map<string, number>();
    for (const { name, place } of named) {
      const line = seen.get(name);
      if (line === undefined) seen.set(name, place.line);
      else
        this.problems.push(
          problemAt(place, `${what} have two of the name ${name}, the first in line ${line}: give one a name`),
        );
    }
  }
}
