import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { parseRoute, type Route } from '../core/route.ts';

export interface RouteSink {
  put(route: Route): void;
  remove(uid: string): void;
}

const SETTLE_MS = 20;

/**
 * Keeps a route table equal to the `*.json` files of a folder, also one that kubelet mounts from a Secret, where all
 * files are swapped at once by renaming the link `..data`. A broken file is logged and its last good route stays.
 */
export class RoutesDir {
  readonly #folder: string;
  readonly #routes: RouteSink;
  readonly #log: Log;
  /** By file name: what the file looked like when it was last read, and the source it holds, if it was ever good. */
  readonly #files = new Map<string, { version: string; uid: string | undefined }>();
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(folder: string, routes: RouteSink, log: Log) {
    this.#folder = folder;
    this.#routes = routes;
    this.#log = log;
  }

  /**
   * Reads every file once, then follows the folder; `pollMs` bounds how long a change may go unseen where the system
   * tells of none (network file systems, a folder that was replaced).
   * @throws when the folder cannot be read.
   */
  async start(pollMs = 30_000): Promise<void> {
    this.#watch();
    await this.#read();
    this.#timer = setInterval(() => {
      this.#watch();
      this.#readSoon();
    }, pollMs);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#watcher?.close();
    await this.#reading;
  }

  #watch(): void {
    this.#watcher?.close();
    let pending: NodeJS.Timeout | undefined;
    try {
      this.#watcher = watch(this.#folder, () => {
        clearTimeout(pending);
        pending = setTimeout(() => this.#readSoon(), SETTLE_MS);
      });
      this.#watcher.on('error', (error) => this.#log.warn({ error: messageOf(error) }, 'route folder not watched'));
    } catch (error) {
      this.#log.warn({ folder: this.#folder, error: messageOf(error) }, 'route folder not watched');
    }
  }

  #readSoon(): void {
    this.#reading = this.#reading
      .then(() => this.#read())
      .catch((error) => this.#log.error({ folder: this.#folder, error: messageOf(error) }, 'route folder not read'));
  }

  /** Compares what is there with what is served; every good file before any removal, so that a rename loses nothing. */
  async #read(): Promise<void> {
    const names = (await readdir(this.#folder))
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .toSorted();
    for (const name of names) await this.#readFile(name);
    const present = new Set(names);
    for (const [name, { uid }] of this.#files) {
      if (present.has(name)) continue;
      this.#files.delete(name);
      this.#removeUnlessElsewhere(uid);
    }
  }

  async #readFile(name: string): Promise<void> {
    const path = join(this.#folder, name);
    const known = this.#files.get(name);
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(path);
      const version = [ino, size, mtimeMs, ctimeMs].join();
      if (version === known?.version) return;
      this.#files.set(name, { version, uid: known?.uid });
      const route = parseRoute(await readFile(path, 'utf8'));
      this.#routes.put(route);
      this.#files.set(name, { version, uid: route.uid });
      if (known?.uid !== route.uid) this.#removeUnlessElsewhere(known?.uid);
      this.#log.info({ file: name, uid: route.uid, generation: route.generation }, 'route served');
    } catch (error) {
      this.#log.error({ file: name, error: messageOf(error) }, 'route file refused; the last good route stays');
    }
  }

  #removeUnlessElsewhere(uid: string | undefined): void {
    if (uid === undefined || [...this.#files.values()].some((file) => file.uid === uid)) return;
    this.#routes.remove(uid);
    this.#log.info({ uid }, 'route removed');
  }
}
