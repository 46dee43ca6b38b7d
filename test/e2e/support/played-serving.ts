import { mkdir, rename, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { nodeOf, Part, type RealWorld } from './real-world.ts';

const KIND = 'services.serving.knative.dev';

interface KnativeService {
  readonly metadata: { readonly generation: number; readonly resourceVersion: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly { readonly env: readonly { readonly name: string; readonly value: string }[] }[];
        readonly volumes: readonly { readonly secret: { readonly secretName: string } }[];
      };
    };
  };
}

/** Knative Serving, and a kubelet, as far as one Knative Service needs them: its pod is a process, its URL is the process's. */
export class PlayedServing {
  readonly #world: RealWorld;
  readonly #name: string;
  #pod: Part | undefined;

  constructor(world: RealWorld, name: string) {
    this.#world = world;
    this.#name = name;
  }

  async service(): Promise<KnativeService | undefined> {
    const found = await this.#get(KIND, this.#name);
    return found === undefined ? undefined : (found as KnativeService);
  }

  /** Starts a pod of the template as it is now, ends the one before, and says that it serves. Resolves to its URL. */
  async rollOut(): Promise<string> {
    const service = await this.service();
    const [container] = service?.spec.template.spec.containers ?? [];
    const [volume] = service?.spec.template.spec.volumes ?? [];
    if (!service || !container || !volume) throw new Error('the Knative Service has no pod');
    const folder = await this.mount(volume.secret.secretName);
    const port = await freePort();
    const before = this.#pod;
    this.#pod = new Part(nodeOf('adapter/main.ts'), {
      ...Object.fromEntries(container.env.map(({ name, value }) => [name, value])),
      ROUTES_DIR: folder,
      HOST: '127.0.0.1',
      PORT: String(port),
      INTERNAL_PORT: '0',
      ALLOW_LOOPBACK_SINKS: 'true',
      SHUTDOWN_DELAY_MS: '0',
    });
    const url = `http://127.0.0.1:${port}`;
    await this.#world.holds(async () => void (await fetch(url, { method: 'POST' })));
    const conditions = [{ type: 'Ready', status: 'True' }];
    await this.#writeStatus({ observedGeneration: service.metadata.generation, url, conditions });
    await before?.end();
    return url;
  }

  /** As kubelet does with a Secret. Resolves to the folder. */
  async mount(secret: string): Promise<string> {
    const found = (await this.#get('secrets', secret)) as { data: Readonly<Record<string, string>> } | undefined;
    const folder = this.#world.file(secret);
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(found?.data ?? {})) {
      await writeFile(join(folder, `.${name}`), Buffer.from(text, 'base64'));
      await rename(join(folder, `.${name}`), join(folder, name));
    }
    return folder;
  }

  async stop(): Promise<void> {
    await this.#pod?.end();
  }

  async #get(kind: string, name: string): Promise<unknown> {
    const { namespace } = this.#world;
    const text = await this.#world.kubectl('get', kind, name, '-n', namespace, '-o', 'json', '--ignore-not-found');
    return text === '' ? undefined : JSON.parse(text);
  }

  async #writeStatus(status: object): Promise<void> {
    const patch = JSON.stringify({ status });
    const what = [KIND, this.#name, '-n', this.#world.namespace];
    await this.#world.kubectl('patch', ...what, '--subresource=status', '--type=merge', '-p', patch);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
