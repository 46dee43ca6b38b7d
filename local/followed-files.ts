import { resolve } from 'node:path';
import type { ObjectKind, ObjectReference } from '../controller/objects.ts';
import { placeOf } from '../core/place-of.ts';
import { AppliedManifests } from './applied-manifests.ts';
import type { Report } from './dev-line.ts';
import type { LocalKind } from './kinds.ts';
import type { Warn } from './local-planes.ts';
import { localReader } from './local-reader.ts';
import { type ManifestContent, ManifestFiles } from './manifest-files.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import type { StateFolder } from './state-folder.ts';

export interface FollowOptions {
  readonly paths: readonly string[];
  readonly sources: readonly ObjectKind[];
  /** Given: webhooks are not real, and nothing is remembered. */
  readonly simulate: object | undefined;
}

interface FollowDeps {
  readonly kinds: readonly LocalKind[];
  readonly cluster: MemoryCluster;
  readonly state: StateFolder;
  /** Base URL of the Brokers. */
  readonly brokerUrl: string;
  readonly report: Report;
  readonly warn: Warn;
}

export interface FollowedFiles {
  /** Files with faults, as people would name them. */
  faulty(): readonly string[];
  /** The file that an object stands in, as an absolute path. */
  fileOf(reference: ObjectReference): string | undefined;
  /** Deletes every source, so that its webhook is removed. */
  deleteSources(): void;
  stop(): Promise<void>;
}

/** Applies manifest files, now and whenever they change, and says what is wrong with them. */
export async function followFiles(options: FollowOptions, deps: FollowDeps): Promise<FollowedFiles> {
  const { kinds, cluster, state, brokerUrl, report, warn } = deps;
  const paths = options.paths.map((path) => resolve(path));
  const applied = new AppliedManifests({
    cluster,
    state,
    paths,
    sources: options.sources,
    remembers: !options.simulate,
    onUnsaved: (message) => warn('state', message),
  });
  applied.start();
  const say = speakerFor(options.sources, report);
  let faulty: readonly string[] = [];
  const files = new ManifestFiles({
    paths,
    read: localReader({ paths, kinds, brokerUrl }),
    onChange: (content) => {
      faulty = [...new Set([...content.broken, ...content.problems.map(({ file }) => file)])];
      say(content);
      applied.apply(content);
    },
  });
  await files.start();
  return {
    faulty: () => faulty.map(placeOf),
    fileOf: (reference) => applied.fileOf(reference),
    deleteSources: () => applied.deleteSources(),
    stop: () => files.stop(),
  };
}

/** Says what is wrong with the files, what is skipped, what is taken, and that there is nothing to do. */
function speakerFor(sources: readonly ObjectKind[], report: Report): (content: ManifestContent) => void {
  const named = new Set<string>();
  let isFirst = true;
  let hadSources = true;
  return ({ manifests, problems, warnings, skipped, good }) => {
    for (const problem of problems) report({ type: 'problem', ...problem });
    for (const { file, line, message } of warnings)
      report({ type: 'warning', from: `${placeOf(file)}:${line}`, message });
    for (const { apiVersion, kind } of skipped) {
      const name = `${kind} (${apiVersion})`;
      if (!named.has(name)) report({ type: 'note', message: `${name} is no kind of local mode: skipped` });
      named.add(name);
    }
    const faulty = new Set(problems.map(({ file }) => file));
    if (!isFirst) for (const file of good) if (!faulty.has(file)) report({ type: 'applied', file });
    const hasSources = manifests.some(({ kind }) => sources.some((source) => source.kind === kind));
    if (!hasSources && hadSources) report({ type: 'note', message: 'there is no source in the manifests' });
    isFirst = false;
    hadSources = hasSources;
  };
}
