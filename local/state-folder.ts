import { createHash, createHmac, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject, ObjectReference } from '../controller/objects.ts';
import { ConfigurationError, codeOf, messageOf } from '../core/errors.ts';

/** A source as it was when it was last seen, and the file it came from. */
export interface RememberedSource {
  readonly file: string;
  readonly object: KubeObject;
}

const KEY_BYTES = 32;

/**
 * `.headwater/`: what local mode must know after a restart. A key, from which uids come, so that a source finds its
 * webhook again; and each source with its status. No value of a Secret is in it.
 */
export class StateFolder {
  readonly #folder: string;
  readonly #key: Buffer;

  /** @throws ConfigurationError when the folder cannot be made or read. */
  constructor(folder: string) {
    this.#folder = folder;
    try {
      this.#key = this.#readKey() ?? this.#makeKey();
    } catch (error) {
      throw new ConfigurationError('state', [`${folder} cannot be used: ${messageOf(error)}`], { cause: error });
    }
  }

  /**
   * The one that is there already.
   * @throws ConfigurationError when there is none.
   */
  static existing(folder: string): StateFolder {
    if (existsSync(join(folder, 'key'))) return new StateFolder(folder);
    const advice = `there is no ${folder}/ here, in which headwater dev keeps the key to webhook URLs: run this in the folder headwater dev runs in`;
    throw new ConfigurationError('state', [advice]);
  }

  #makeKey(): Buffer {
    const key = randomBytes(KEY_BYTES);
    this.#makeFolder(key);
    return key;
  }

  #makeFolder(key: Buffer): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#write('.gitignore', '*\n');
    this.#write('key', `${key.toString('hex')}\n`);
  }

  #readKey(): Buffer | undefined {
    const key = Buffer.from(this.#read('key')?.trim() ?? '', 'hex');
    return key.length === KEY_BYTES ? key : undefined;
  }

  /** The uid of an object that names none: a UUID of version 5 (RFC 9562, 5.5) whose name space is the key. */
  uidOf({ kind, namespace, name }: Pick<ObjectReference, 'kind' | 'namespace' | 'name'>): string {
    const bytes = createHash('sha1').update(this.#key).update(`${kind}/${namespace}/${name}`).digest().subarray(0, 16);
    bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  }

  /** The resourceVersion of a Secret: the same for the same values, also after a restart, and telling nothing of them. */
  versionOf(data: ReadonlyMap<string, Buffer>): string {
    const hmac = createHmac('sha256', this.#key);
    for (const [key, value] of [...data].toSorted(([a], [b]) => (a < b ? -1 : 1)))
      hmac.update(`${key}\0${value.toString('base64')}\0`);
    return hmac.digest('hex').slice(0, 32);
  }

  /** @throws ConfigurationError */
  load(): readonly RememberedSource[] {
    try {
      return sourcesIn(this.#read('sources.json') ?? '[]');
    } catch (error) {
      const file = join(this.#folder, 'sources.json');
      const advice = `${file} is broken; remove it (webhooks it knew of stay at the provider): ${messageOf(error)}`;
      throw new ConfigurationError('state', [advice], { cause: error });
    }
  }

  /** Returns whether the folder was made anew, since somebody removed it. */
  save(sources: readonly RememberedSource[]): boolean {
    const isGone = !existsSync(join(this.#folder, 'key'));
    if (isGone) this.#makeFolder(this.#key);
    this.#write('sources.json', `${JSON.stringify(sources, null, 1)}\n`);
    return isGone;
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(join(this.#folder, name), 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  #write(name: string, text: string): void {
    const draft = join(this.#folder, `.${name}.new`);
    writeFileSync(draft, text, { mode: 0o600 });
    renameSync(draft, join(this.#folder, name));
  }
}

/** As `save` wrote them. */
function sourcesIn(text: string): readonly RememberedSource[] {
  const sources: unknown = JSON.parse(text);
  if (!Array.isArray(sources)) throw new Error('it is no list of sources');
  return sources.map((source: Partial<RememberedSource> | null) => {
    const { file, object } = source ?? {};
    const { name, namespace, uid } = object?.metadata ?? {};
    if ([file, object?.apiVersion, object?.kind, name, namespace, uid].every((part) => typeof part === 'string'))
      return source as RememberedSource;
    throw new Error('not all in it are sources');
  });
}
