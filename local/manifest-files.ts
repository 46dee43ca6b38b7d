import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyOf, nameOf } from '../controller/objects.ts';
import { codeOf, messageOf } from '../core/errors.ts';
import { ABSENT, checkPaths, manifestNames } from '../core/manifest-paths.ts';
import type { Problem } from '../core/problem.ts';
import type { LocalManifest, ManifestText } from './manifests.ts';

export interface ManifestFilesOptions {
  /** Files, and folders whose `.yaml`, `.yml` and `.json` files count (not those of folders in them, as with kubectl). */
  readonly paths: readonly string[];
  readonly read: (text: string, file: string) => FileContent | Promise<FileContent>;
  /** Called when something changed, with what there is now. */
  readonly onChange: (content: ManifestContent) => void;
  /** Resolves when it is time to look again. */
  readonly pause?: () => Promise<void>;
  /** Milliseconds that only go forward. */
  readonly clock?: () => number;
}

/** What stands in one file. */
export interface FileContent extends ManifestText {
  readonly warnings?: readonly Problem[];
  /** Files that have a part in what stands in it: when one of them changes, it is read again. */
  readonly dependsOn?: readonly string[];
}

export interface ManifestContent {
  /** Of a file that is broken, what it held when it was good. */
  readonly manifests: readonly LocalManifest[];
  /** Problems of the files that changed. */
  readonly problems: readonly Problem[];
  /** What files that changed have that may be a mistake. */
  readonly warnings: readonly Problem[];
  readonly skipped: ManifestText['skipped'];
  /** Files that changed, and are good. */
  readonly good: readonly string[];
  /** Files that are broken, and so say nothing about what is gone; and of what is followed, that which is not there. */
  readonly broken: ReadonlySet<string>;
}

interface KnownFile {
  readonly version: string;
  readonly good: readonly LocalManifest[];
  readonly isBroken: boolean;
  readonly dependsOn: readonly string[];
}

/** How often the files are looked at. A change counts when two looks saw the same: editors write in several steps. */
const LOOK_MS = 150;
/** So long something must be away to count as gone: some editors, and git, remove a file to write it anew. */
const GONE_MS = 2000;
/** The version of a folder that is followed. */
const FOLDER = 'folder';

/** Follows manifest files. Looking is all it does: it works on every file system and with every editor. */
export class ManifestFiles {
  readonly #options: ManifestFilesOptions;
  readonly #known = new Map<string, KnownFile>();
  /** Since when something is not there that was. */
  readonly #awaySince = new Map<string, number>();
  /** Of the paths followed, those that are gone. */
  readonly #missed = new Set<string>();
  #lastLook = '';
  #stopped = false;
  #following: Promise<void> = Promise.resolve();

  constructor(options: ManifestFilesOptions) {
    this.#options = { ...options, paths: options.paths.map((path) => resolve(path)) };
  }

  /**
   * Reads everything once, then follows it.
   * @throws ConfigurationError when a path is not there.
   */
  async start(): Promise<void> {
    this.#lastLook = JSON.stringify([...(await this.readOnce())]);
    this.#following = this.#follow();
  }

  /**
   * Resolves to what tells this state of the files from another.
   * @throws ConfigurationError when a path is not there.
   */
  async readOnce(): Promise<ReadonlyMap<string, string>> {
    await checkPaths(this.#options.paths);
    const versions = await this.#look();
    await this.#readChanged(versions, true);
    return versions;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#following;
  }

  async #follow(): Promise<void> {
    const { pause = () => sleep(LOOK_MS) } = this.#options;
    for (;;) {
      await pause();
      if (this.#stopped) return;
      const versions = await this.#look();
      const look = JSON.stringify([...versions]);
      if (look === this.#lastLook) await this.#readChanged(versions, false);
      this.#lastLook = look;
    }
  }

  /** What tells one state of each file from another; nothing of what is not there. */
  async #look(): Promise<Map<string, string>> {
    const versions = new Map<string, string>();
    for (const path of this.#options.paths) {
      for (const file of await this.#filesAt(path, () => versions.set(path, FOLDER))) {
        const version = await versionOf(file);
        if (version === undefined) continue;
        const { dependsOn = [] } = this.#known.get(file) ?? {};
        versions.set(file, await withOthers(version, dependsOn));
      }
    }
    return versions;
  }

  /** Those of a folder that cannot be read now are the ones it had. */
  async #filesAt(path: string, onFolder: () => void): Promise<readonly string[]> {
    try {
      const names = await readdir(path);
      onFolder();
      return manifestNames(names).map((name) => join(path, name));
    } catch (error) {
      const isFolder = !ABSENT.has(codeOf(error) ?? '') && !this.#known.has(path);
      if (!isFolder) return [path];
      onFolder();
      return [...this.#known.keys()].filter((file) => dirname(file) === path);
    }
  }

  async #readChanged(versions: ReadonlyMap<string, string>, isFirst: boolean): Promise<void> {
    const problems: Problem[] = [];
    const warnings: Problem[] = [];
    const skipped: ManifestText['skipped'][number][] = [];
    const good: string[] = [];
    let changed = this.#noteWhatIsGone(versions, problems) || isFirst;
    for (const [file, version] of versions) {
      const known = this.#known.get(file);
      if (version === FOLDER || known?.version === version) continue;
      changed = true;
      const read = await this.#read(file);
      problems.push(...read.problems);
      warnings.push(...(read.warnings ?? []));
      skipped.push(...read.skipped);
      const isBroken = read.problems.length > 0;
      if (!isBroken) good.push(file);
      const { dependsOn = [] } = read;
      const held = isBroken ? (known?.good ?? []) : read.manifests;
      this.#known.set(file, { version: await withOthers(version, dependsOn), isBroken, good: held, dependsOn });
    }
    if (changed) this.#tell({ problems: onceEach(problems), warnings, skipped, good });
  }

  /** A file of a folder is removed; a path that was named is missed, and keeps what it held. Returns whether there is news. */
  #noteWhatIsGone(versions: ReadonlyMap<string, string>, problems: Problem[]): boolean {
    const { paths, clock = () => performance.now() } = this.#options;
    const isMissed = (path: string) => paths.includes(path) && !versions.has(path);
    const now = clock();
    let changed = false;
    for (const file of new Set([...this.#known.keys(), ...paths])) {
      if (versions.has(file) || isMissed(dirname(file))) {
        this.#awaySince.delete(file);
        changed = this.#missed.delete(file) || changed;
        continue;
      }
      const since = this.#awaySince.get(file) ?? now;
      this.#awaySince.set(file, since);
      if (now - since < GONE_MS || this.#missed.has(file)) continue;
      changed = true;
      if (!isMissed(file)) this.#known.delete(file);
      else {
        this.#missed.add(file);
        problems.push({ file, line: 0, message: 'it is gone; what it held stays until it is back' });
      }
    }
    return changed;
  }

  async #read(file: string): Promise<FileContent> {
    try {
      return await this.#options.read(await readFile(file, 'utf8'), file);
    } catch (error) {
      return { manifests: [], skipped: [], problems: [{ file, line: 1, message: messageOf(error) }] };
    }
  }

  /** Of two objects with the same name, or with the same uid, the first counts; or what `precedence` says. */
  #tell({ problems, ...changed }: { problems: Problem[] } & Omit<ManifestContent, 'manifests' | 'broken'>): void {
    const taken = new Map<string, LocalManifest>();
    const manifests: LocalManifest[] = [];
    const all = [...this.#known.values()].flatMap(({ good }) => good);
    for (const one of all.toSorted((a, b) => (b.precedence ?? 0) - (a.precedence ?? 0))) {
      const claims = claimsOf(one);
      const clash = claims.find((claim) => taken.has(claim.key));
      const first = clash && taken.get(clash.key);
      if (first) {
        if (first.precedence !== one.precedence) continue;
        const message = `${clash.name} stands in ${first.file}:${first.line} already; this one is ignored`;
        problems.push({ file: one.file, line: one.line, message });
        continue;
      }
      manifests.push(one);
      for (const { key } of claims) taken.set(key, one);
    }
    const broken = [...this.#known].filter(([, { isBroken }]) => isBroken).map(([file]) => file);
    const now = { manifests, broken: new Set([...broken, ...this.#missed]) };
    this.#options.onChange({ ...now, ...changed, problems });
  }
}

/** A file and one that depends on it say the same. */
function onceEach(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((one) => [JSON.stringify([one.file, one.line, one.message]), one])).values()];
}

/** What no two objects can have both. */
function claimsOf({ apiVersion, kind, metadata }: LocalManifest): { key: string; name: string }[] {
  const { namespace, name, uid } = metadata;
  const byName = {
    key: keyOf({ apiVersion, kind, namespace, name }),
    name: nameOf({ apiVersion, kind, namespace, name }),
  };
  return uid === undefined ? [byName] : [byName, { key: `uid ${uid}`, name: `metadata.uid ${uid}` }];
}

/** The version of a file together with those of others that have a part in it. `version`: of the file, with or without others. */
async function withOthers(version: string, others: readonly string[]): Promise<string> {
  const [own] = version.split(' ');
  return [own, ...(await Promise.all(others.map(versionOf)))].join(' ');
}

/** undefined: there is no such file. */
async function versionOf(file: string): Promise<string | undefined> {
  try {
    const found = await stat(file);
    return found.isFile() ? [found.ino, found.size, found.mtimeMs, found.ctimeMs].join() : undefined;
  } catch (error) {
    const code = codeOf(error) ?? messageOf(error);
    return ABSENT.has(code) ? undefined : code;
  }
}
