import { dirname } from 'node:path';
import type { KubeObject, ObjectReference } from '../controller/objects.ts';
import { keyOf, matterOf, nameOf, referenceTo } from '../controller/objects.ts';
import type { Env } from '../core/env.ts';
import { messageOf } from '../core/errors.ts';
import { CommandRun, type Wish } from './command-run.ts';
import type { Report } from './dev-line.ts';
import { HUB_PATHS } from './hubs.ts';
import { SECRET, SINK_BINDING } from './kinds.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { type Judgement, refusal } from './readiness.ts';
import { annotationOf, commandOf, environmentOf, LOCAL_URL, WORKLOADS } from './workloads.ts';

export interface CommandsOptions {
  readonly cluster: MemoryCluster;
  /** What commands are given beside their own environment; undefined: none is run. */
  readonly env: Env | undefined;
  readonly report: Report;
  /** A command could not be looked at; a sentence. */
  readonly onProblem: (message: string) => void;
}

/** What is known of an object's command. */
export interface CommandState {
  readonly judgement: Judgement;
  /** Where it listens; undefined: nowhere yet. */
  readonly url: string | undefined;
}

const NOT_RUN = refusal(
  'NotRun',
  `its command is run with --run; or start it yourself, and annotate it with ${LOCAL_URL}: http://127.0.0.1:<port>`,
);

/** Runs the commands that objects are annotated with, each as long as its object is there. */
export class Commands {
  readonly #options: CommandsOptions;
  readonly #runs = new Map<string, CommandRun>();
  readonly #stops = new Set<Promise<void>>();
  #onChange: () => void = () => undefined;
  #fileOf: (reference: ObjectReference) => string | undefined = () => undefined;
  #isDue = false;
  #looking = Promise.resolve();
  #stopped = false;

  constructor(options: CommandsOptions) {
    this.#options = options;
  }

  /** Calls back when a state is another. */
  watch(onChange: () => void): void {
    this.#onChange = onChange;
  }

  /** `fileOf`: the file an object stands in, in whose folder its command runs. */
  start(fileOf: (reference: ObjectReference) => string | undefined): void {
    this.#fileOf = fileOf;
    if (!this.areRun) return;
    const hubs = HUB_PATHS.map(([kind]) => kind);
    for (const kind of [...WORKLOADS, ...hubs, SINK_BINDING, SECRET])
      this.#options.cluster.watch(kind, () => this.#lookSoon());
  }

  get areRun(): boolean {
    return this.#options.env !== undefined;
  }

  /** undefined: it has no command. */
  stateOf(object: KubeObject): CommandState | undefined {
    if (commandOf(object) === undefined) return undefined;
    if (!this.areRun) return { judgement: NOT_RUN, url: undefined };
    const run = this.#runs.get(keyOf(referenceTo(object)));
    return { judgement: run?.judgement ?? { status: 'Unknown' }, url: run?.url };
  }

  /** Ends every command, and what it started. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#looking;
    for (const key of this.#runs.keys()) this.#end(key);
    await Promise.all(this.#stops);
  }

  #lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((error: unknown) => this.#options.onProblem(messageOf(error)));
  }

  async #look(): Promise<void> {
    this.#isDue = false;
    if (this.#stopped) return;
    const { cluster } = this.#options;
    const objects = new Map(
      WORKLOADS.flatMap((kind) => cluster.all(kind))
        .filter((object) => commandOf(object) !== undefined)
        .map((object) => [keyOf(referenceTo(object)), object]),
    );
    for (const key of this.#runs.keys()) if (!objects.has(key)) this.#end(key);
    for (const [key, object] of objects) {
      const wish = await this.#wishOf(object);
      const run = this.#runs.get(key) ?? this.#newRun(object);
      this.#runs.set(key, run);
      run.want(wish);
    }
  }

  async #wishOf(object: KubeObject): Promise<Wish | Judgement> {
    const found = await environmentOf(object, this.#options.cluster);
    if ('blocked' in found) return found.blocked;
    const url = annotationOf(object, LOCAL_URL);
    return {
      command: commandOf(object) ?? '',
      folder: dirname(this.#fileOf(referenceTo(object)) ?? '.'),
      env: { ...this.#options.env, ...found.env },
      document: matterOf(object.metadata),
      port: url === undefined ? undefined : Number(URL.parse(url)?.port) || undefined,
    };
  }

  #newRun(object: KubeObject): CommandRun {
    const name = nameOf(referenceTo(object));
    return new CommandRun({
      onLine: (text) => this.#options.report({ type: 'output', object: name, text }),
      onChange: () => this.#onChange(),
    });
  }

  #end(key: string): void {
    const stop = this.#runs.get(key)?.stop() ?? Promise.resolve();
    this.#runs.delete(key);
    this.#stops.add(stop);
    void stop.finally(() => this.#stops.delete(stop));
  }
}
