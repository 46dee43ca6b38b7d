import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keyOf, nameOf } from '../controller/objects.ts';
import { ConfigurationError, codeOf, messageOf } from '../core/errors.ts';
import type { LocalManifest, ManifestText, Problem } from './manifests.ts';

export interface ManifestFilesOptions {
  /** Files, and folders whose `.yaml`, `.yml` and `.json` files count (not those of folders in them, as with kubectl). */
  readonly paths: readonly string[];
  readonly read: (text: string, file: string) => ManifestText;
  /** Called when something changed, with what there is now. */
  readonly onChange: (content: ManifestContent) => void;
  /** Resolves when it is time to look again. */
  readonly pause?: () => Promise<void>;
}

export interface ManifestContent {
  /** Of a file that is broken, what it held when it was good. */
  readonly manifests: readonly LocalManifest[];
  /** Problems of the files that changed. */
  readonly problems: readonly Problem[];
  readonly skipped: ManifestText['skipped'];
  /** Files that are broken, and so say nothing about what is gone. */
  readonly broken: ReadonlySet<string>;
}

interface KnownFile {
  readonly version: string;
  readonly good: readonly LocalManifest[];
  readonly isBroken: boolean;
}

/** How often the files are looked at. A change counts when two looks saw the same: editors write in several steps. */
const LOOK_MS = 150;
const MANIFEST = /\.(ya?ml|json)$/;
/** There is nothing, or it is no folder; any other error says nothing about what is gone. */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);

/** Follows manifest files. Looking is all it does: it works on every file system and with every editor. */
export class ManifestFiles {
  readonly #options: ManifestFilesOptions;
  readonly #known = new Map<string, KnownFile>();
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
    for (const path of this.#options.paths) {
      await stat(path).catch((error: unknown) => {
        throw new ConfigurationError('manifests', [`-f ${path} cannot be read: ${messageOf(error)}`]);
      });
    }
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

  /** What tells one state of each file from another. */
  async #look(): Promise<Map<string, string>> {
    const versions = new Map<string, string>();
    for (const path of this.#options.paths) {
      for (const file of await this.#filesAt(path)) {
        const version = await versionOf(file);
        if (version !== undefined) versions.set(file, version);
      }
    }
    return versions;
  }

  /** Those of a folder that cannot be read now are the ones it had. */
  async #filesAt(path: string): Promise<readonly string[]> {
    try {
      const names = await readdir(path);
      const manifests = names.filter((name) => MANIFEST.test(name) && !name.startsWith('.'));
      return manifests.toSorted().map((name) => join(path, name));
    } catch (error) {
      const isFolder = !ABSENT.has(codeOf(error) ?? '') && !this.#known.has(path);
      return isFolder ? [...this.#known.keys()].filter((file) => dirname(file) === path) : [path];
    }
  }

  async #readChanged(versions: ReadonlyMap<string, string>, isFirst: boolean): Promise<void> {
    const problems: Problem[] = [];
    const skipped: ManifestText['skipped'][number][] = [];
    let changed = isFirst;
    for (const file of this.#known.keys()) if (!versions.has(file)) changed = this.#known.delete(file);
    for (const [file, version] of versions) {
      const known = this.#known.get(file);
      if (known?.version === version) continue;
      changed = true;
      const read = await this.#read(file);
      problems.push(...read.problems);
      skipped.push(...read.skipped);
      const isBroken = read.problems.length > 0;
      this.#known.set(file, { version, isBroken, good: isBroken ? (known?.good ?? []) : read.manifests });
    }
    if (changed) this.#tell(problems, skipped);
  }

  async #read(file: string): Promise<ManifestText> {
    try {
      return this.#options.read(await readFile(file, 'utf8'), file);
    } catch (error) {
      return { manifests: [], skipped: [], problems: [{ file, line: 1, message: messageOf(error) }] };
    }
  }

  /** Of two objects with the same name, or with the same uid, the first counts. */
  #tell(problems: Problem[], skipped: ManifestText['skipped']): void {
    const taken = new Map<string, LocalManifest>();
    const manifests: LocalManifest[] = [];
    for (const one of [...this.#known.values()].flatMap(({ good }) => good)) {
      const claims = claimsOf(one);
      const clash = claims.find((claim) => taken.has(claim.key));
      const first = clash && taken.get(clash.key);
      if (first) {
        const message = `${clash.name} stands in ${first.file}:${first.line} already; this one is ignored`;
        problems.push({ file: one.file, line: one.line, message });
        continue;
      }
      manifests.push(one);
      for (const { key } of claims) taken.set(key, one);
    }
    const broken = new Set([...this.#known].filter(([, { isBroken }]) => isBroken).map(([file]) => file));
    this.#options.onChange({ manifests, problems, skipped, broken });
  }
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
