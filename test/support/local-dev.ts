import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { NO_PROXIES } from '../../core/proxies.ts';
import { type Completion, type Dev, type DevOptions, startDev } from '../../local/dev.ts';
import type { DevLine } from '../../local/dev-line.ts';
import { type Answer, postDelivery } from '../../local/post-delivery.ts';
import type { JsonObject } from '../../sources/contract.ts';
import { SimulatedGitHub } from '../../sources/github/simulated-api.ts';
import { definitionOf } from '../../sources/registry.ts';

export const PUBLIC_URL = 'https://hooks.example.com';
export const SOURCE = 'GitHubSource default/hello';
export const TOKENS = { accessToken: 'ghp_the-token', secretToken: 'the very secret' };

/** A delivery of the provider, signed. */
export async function deliver(
  url: string,
  secret = TOKENS.secretToken,
  event: { eventType: string; payload: JsonObject } = { eventType: 'push', payload: { ref: 'x' } },
): Promise<Answer> {
  const simulator = await definitionOf('GitHubSource')?.loadSimulator();
  if (!simulator) throw new Error('no simulator');
  return postDelivery(url, simulator.deliver(event, secret));
}

/** `headwater dev` in this process, on free ports, over a folder of manifests, with a simulated GitHub outside of it. */
export class LocalDev {
  readonly folder: string;
  readonly github = new SimulatedGitHub();
  readonly api: string;
  /** What it said since it was started last. */
  lines: DevLine[] = [];
  #dev: Dev | undefined;

  private constructor(folder: string, api: string) {
    this.folder = folder;
    this.api = api;
  }

  static async open(): Promise<LocalDev> {
    const folder = await mkdtemp(join(tmpdir(), 'headwater-local-'));
    await mkdir(join(folder, 'manifests'));
    const opening = new LocalDev(folder, '');
    return Object.assign(opening, { api: await opening.github.start() });
  }

  get manifests(): string {
    return join(this.folder, 'manifests');
  }

  get stateFolder(): string {
    return join(this.folder, '.headwater');
  }

  write(name: string, ...objects: (object | string)[]): Promise<void> {
    const texts = objects.map((object) => (typeof object === 'string' ? object : JSON.stringify(object, null, 1)));
    return writeFile(join(this.manifests, name), texts.join('\n---\n'));
  }

  remove(name: string): Promise<void> {
    return rm(join(this.manifests, name));
  }

  secret(values: Readonly<Record<string, string>> = TOKENS): object {
    return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'github' }, stringData: values };
  }

  source(spec: object = {}, name = 'hello'): object {
    const secretToken = { secretKeyRef: { name: 'github', key: 'secretToken' } };
    const accessToken = { secretKeyRef: { name: 'github', key: 'accessToken' } };
    const usual = { ownerAndRepository: `octo/${name}`, eventTypes: ['push'], secretToken, accessToken };
    return {
      apiVersion: 'sources.knative.dev/v1alpha1',
      kind: 'GitHubSource',
      metadata: { name },
      spec: { ...usual, githubAPIURL: this.api, sink: { uri: 'http://127.0.0.1:9/' }, ...spec },
    };
  }

  /** The calls of the provider's API begin anew. */
  async start(options: Partial<DevOptions> = {}): Promise<void> {
    this.lines = [];
    this.github.calls.length = 0;
    const usual = {
      paths: [this.manifests],
      ports: { adapter: 0, broker: 0, dumper: 0 },
      publicUrl: PUBLIC_URL,
      proxies: NO_PROXIES,
      simulate: undefined,
      stateFolder: this.stateFolder,
    };
    this.#dev = await startDev({ ...usual, ...options }, (line) => void this.lines.push(line));
  }

  /** With Secret and source `hello`, which is ready then. */
  async startReady(options?: Partial<DevOptions>): Promise<void> {
    await this.write('secret.yaml', this.secret());
    await this.write('source.yaml', this.source());
    await this.start(options);
    await this.becomes('Ready=True');
  }

  /** Resolves when all that was under way is done. */
  async stop(): Promise<void> {
    await this.#dev?.stop();
    this.#dev = undefined;
  }

  complete(timeoutMs: number): Promise<Completion> | undefined {
    return this.#dev?.complete(timeoutMs, new AbortController().signal);
  }

  cleanUp(timeoutMs = 5000): Promise<readonly string[]> {
    return this.#dev?.cleanUp(timeoutMs) ?? Promise.resolve([]);
  }

  async end(): Promise<void> {
    await this.stop();
    await this.github.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** `adapter`, `broker` or `dumper`. */
  url(what: string): string {
    const line = this.lines.find((one) => one.type === 'started' && one.what === what);
    return line?.type === 'started' ? line.url : '';
  }

  /** What was last said of a condition: `Ready=False NoPublicAddress`. */
  condition(type: string, object = SOURCE): string {
    const found = this.#lastOf(type, object);
    return `${type}=${found?.status}${found?.reason === undefined ? '' : ` ${found.reason}`}`;
  }

  message(type: string, object = SOURCE): string {
    return this.#lastOf(type, object)?.message ?? '';
  }

  #lastOf(type: string, object: string) {
    const line = this.lines.findLast(
      (one) => one.type === 'condition' && one.object === object && one.condition.type === type,
    );
    return line?.type === 'condition' ? line.condition : undefined;
  }

  async becomes(condition: string, object = SOURCE): Promise<void> {
    const type = condition.split('=')[0] ?? '';
    await this.holds(() => {
      const is = this.condition(type, object);
      if (is !== condition) throw new Error(`${is}: ${this.message(type, object)}`);
    });
  }

  async holds(check: () => void | Promise<void>): Promise<void> {
    await vi.waitFor(check, { timeout: 8000, interval: 10 });
  }

  /** The controller looked at the webhooks of a repository. */
  async looksAt(repository: string): Promise<void> {
    await this.holds(() => {
      if (!this.github.calls.some((call) => call.startsWith(`GET /repos/${repository}/`))) throw new Error('no look');
    });
  }

  /** `octo/hello https://…`, of each webhook there is. */
  hooks(): string[] {
    return this.github.hooks.map(({ repository, config }) => `${repository} ${config.url}`);
  }

  /** `POST`, `PATCH` or `DELETE` of a repository's webhooks, in order. */
  writes(): string[] {
    const writes = this.github.calls.filter((call) => !call.startsWith('GET '));
    return writes.map((call) => call.replace(/^(\w+) \/repos\/(\w+\/\w+).*$/, '$1 $2'));
  }

  /** What the state folder holds, by the name of the file. */
  async state(): Promise<Record<string, string>> {
    const names = await readdir(this.stateFolder);
    const texts = names.map(async (name) => [name, await readFile(join(this.stateFolder, name), 'utf8')] as const);
    return Object.fromEntries(await Promise.all(texts));
  }
}
