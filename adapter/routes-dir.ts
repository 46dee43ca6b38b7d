import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Route } from '../core/route.ts';

export interface RouteReceiver {
  /** @throws ConfigurationError */
  put(route: Route): void;
  remove(uid: string): void;
}

export interface RoutesDirOptions {
  readonly folder: string;
  /** @throws ConfigurationError when the text of a file is no route that can be served. */
  readonly parse: (text: string) => { route: Route; unknownFields: readonly string[] };
  readonly routes: RouteReceiver;
  readonly log: Log;
}

interface RouteFile {
  /** What the file looked like when it was last read. */
  readonly version: string;
  /** Its last good content. */
  readonly route: Route | undefined;
}

/** Where the system tells of no change (network file systems), it is found by looking. */
const RESCAN_MS = 30_000;
const LOOK_MS = 1000;
const SETTLE_MS = 20;

/**
 * Keeps a route table equal to the `*.json` files of a folder, also one that kubelet mounts from a Secret, where all
 * files are swapped at once by renaming the link `..data`. Of a broken file the last good route stays.
 */
export class RoutesDir {
  readonly #options: RoutesDirOptions;
  readonly #files = new Map<string, RouteFile>();
  /** What the table holds, by uid. */
  readonly #served = new Map<string, Route>();
  #watcher: FSWatcher | undefined;
  #watchedFolder = '';
  #timers: NodeJS.Timeout[] = [];
  /** Runs while something changed and is about to be read. */
  #settling: NodeJS.Timeout | undefined;
  /** One read after the other: of two at once the older would undo what the newer found. */
  #reading: Promise<void> = Promise.resolve();

  constructor(options: RoutesDirOptions) {
    this.#options = options;
  }

  /**
   * Reads every file once, then follows the folder; `lookMs`: how often to look whether it was replaced by another.
   * @throws when the folder cannot be read.
   */
  async start({ rescanMs = RESCAN_MS, lookMs = LOOK_MS } = {}): Promise<void> {
    await this.#watch();
    const first = this.#read();
    this.#reading = first.catch(() => undefined);
    await first;
    const rescan = setInterval(() => this.#readInTurn(), rescanMs);
    const look = setInterval(() => this.#lookAtFolder(), lookMs);
    this.#timers = [rescan, look];
    for (const timer of this.#timers) timer.unref();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#settling);
    this.#watcher?.close();
    await this.#reading;
  }

  async #watch(): Promise<void> {
    const { folder, log } = this.#options;
    this.#watcher?.close();
    this.#watchedFolder = await this.#folderNow();
    try {
      this.#watcher = watch(folder, () => this.#readSoon());
      this.#watcher.on('error', (error) => log.warn({ error: messageOf(error) }, 'route folder not watched'));
    } catch (error) {
      log.warn({ folder, error: messageOf(error) }, 'route folder not watched');
    }
  }

  /** Tells a folder from another under the same name; '' when it is not there. */
  async #folderNow(): Promise<string> {
    return stat(this.#options.folder).then(
      ({ ino, dev }) => `${dev}:${ino}`,
      () => '',
    );
  }

  #lookAtFolder(): void {
    this.#inTurn(async () => {
      if ((await this.#folderNow()) === this.#watchedFolder) return;
      await this.#watch();
      await this.#read();
    });
  }

  /** Many changes come at once. A change does not put the read off: where they never end, it would never come. */
  #readSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      this.#readInTurn();
    }, SETTLE_MS);
  }

  #readInTurn(): void {
    this.#inTurn(() => this.#read());
  }

  #inTurn(step: () => Promise<void>): void {
    const { folder, log } = this.#options;
    this.#reading = this.#reading
      .then(step)
      .catch((error) => log.error({ folder, error: messageOf(error) }, 'route folder not read; what is served stays'));
  }

  async #read(): Promise<void> {
    const found = await readdir(this.#options.folder);
    const names = found.filter((name) => name.endsWith('.json') && !name.startsWith('.')).toSorted();
    let changed = false;
    for (const name of names) changed = (await this.#readFile(name)) || changed;
    const present = new Set(names);
    for (const name of this.#files.keys()) {
      if (!present.has(name)) changed = this.#files.delete(name) || changed;
    }
    if (changed) this.#serve();
  }

  /** Returns whether the file changed since it was read last. */
  async #readFile(name: string): Promise<boolean> {
    const { folder, parse, log } = this.#options;
    const path = join(folder, name);
    const known = this.#files.get(name);
    try {
      const { ino, size, mtimeMs, ctimeMs } = await stat(path);
      const version = [ino, size, mtimeMs, ctimeMs].join();
      if (version === known?.version) return false;
      this.#files.set(name, { version, route: known?.route });
      const { route, unknownFields } = parse(await readFile(path, 'utf8'));
      this.#files.set(name, { version, route });
      if (unknownFields.length > 0) log.warn({ file: name, unknownFields }, 'route file has fields nobody reads');
    } catch (error) {
      const consequence = known?.route ? 'the last good route stays' : 'nothing is served for it';
      log.error({ file: name, error: messageOf(error) }, `route file refused; ${consequence}`);
    }
    return true;
  }

  /** Makes the table hold what the files say, all at once. Of two files for one source the first by name counts. */
  #serve(): void {
    const { routes, log } = this.#options;
    const wanted = new Map<string, { name: string; route: Route }>();
    for (const [name, { route }] of [...this.#files].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (!route) continue;
      const first = wanted.get(route.uid);
      if (first)
        log.warn({ file: name, uid: route.uid, first: first.name }, 'route file ignored: another has this uid');
      else wanted.set(route.uid, { name, route });
    }
    for (const uid of this.#served.keys()) {
      if (wanted.has(uid)) continue;
      this.#served.delete(uid);
      routes.remove(uid);
      log.info({ uid }, 'route removed');
    }
    for (const [uid, { name, route }] of wanted) {
      if (this.#served.get(uid) === route) continue;
      try {
        routes.put(route);
        this.#served.set(uid, route);
        log.info({ file: name, uid, generation: route.generation }, 'route served');
      } catch (error) {
        log.error({ file: name, error: messageOf(error) }, 'route not served');
      }
    }
  }
}
