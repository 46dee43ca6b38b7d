import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Certificates } from './certificates.ts';
import type { ClusterPrograms } from './cluster-programs.ts';

const HOST = '127.0.0.1';
const SERVICES = '10.0.0';
const READY_MS = 90_000;

export interface ControlPlaneOptions {
  /** false: watches are etcd's own, without a memory of the API server's. */
  readonly watchCache?: boolean;
}

/** Real etcd, kube-apiserver and kube-controller-manager on free ports of loopback, in a temporary folder. */
export class ControlPlane {
  readonly folder: string;
  readonly url: string;
  readonly #programs: ClusterPrograms;
  readonly #ports: { readonly api: number; readonly etcd: number; readonly peer: number };
  readonly #certificates: Certificates;
  readonly #options: ControlPlaneOptions;
  readonly #running = new Map<string, ChildProcess>();

  private constructor(
    folder: string,
    programs: ClusterPrograms,
    { options, ...ports }: { api: number; etcd: number; peer: number; options: ControlPlaneOptions },
  ) {
    this.folder = folder;
    this.#options = options;
    this.#programs = programs;
    this.#ports = ports;
    this.url = `https://${HOST}:${ports.api}`;
    this.#certificates = new Certificates(folder);
  }

  static async start(programs: ClusterPrograms, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const folder = await mkdtemp(join(tmpdir(), 'headwater-e2e-'));
    const [api = 0, etcd = 0, peer = 0] = await freePorts(3);
    const plane = new ControlPlane(folder, programs, { api, etcd, peer, options });
    try {
      await plane.#certificates.makeAuthority();
      await plane.#certificates.issue(
        'server',
        '/CN=kube-apiserver',
        `IP:${HOST},IP:${SERVICES}.1,DNS:localhost,DNS:kubernetes.default.svc`,
      );
      await plane.#certificates.issue('admin', '/O=system:masters/CN=admin');
      await writeFile(plane.adminKubeconfig, await plane.kubeconfig({ certificate: 'admin' }));
      plane.startEtcd();
      plane.startApiServer();
      await plane.ready();
      plane.#startControllerManager();
      return plane;
    } catch (error) {
      await plane.stop();
      throw error;
    }
  }

  get caFile(): string {
    return this.#certificates.file('ca.crt');
  }

  get adminKubeconfig(): string {
    return join(this.folder, 'admin.kubeconfig');
  }

  /** A kubeconfig for a client certificate by name, or for a token. */
  async kubeconfig(user: { certificate: string } | { token: string }): Promise<string> {
    const base64 = async (name: string) => (await readFile(this.#certificates.file(name))).toString('base64');
    const credentials =
      'token' in user
        ? { token: user.token }
        : {
            'client-certificate-data': await base64(`${user.certificate}.crt`),
            'client-key-data': await base64(`${user.certificate}.key`),
          };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'e2e', cluster: { server: this.url, 'certificate-authority-data': await base64('ca.crt') } }],
      users: [{ name: 'user', user: credentials }],
      contexts: [{ name: 'e2e', context: { cluster: 'e2e', user: 'user' } }],
      'current-context': 'e2e',
    });
  }

  startEtcd(): void {
    const client = `http://${HOST}:${this.#ports.etcd}`;
    const peer = `http://${HOST}:${this.#ports.peer}`;
    this.#start('etcd', [
      `--data-dir=${join(this.folder, 'etcd')}`,
      '--unsafe-no-fsync',
      '--log-level=error',
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ]);
  }

  startApiServer(): void {
    const file = (name: string) => this.#certificates.file(name);
    this.#start('kube-apiserver', [
      `--etcd-servers=http://${HOST}:${this.#ports.etcd}`,
      `--bind-address=${HOST}`,
      `--advertise-address=${HOST}`,
      `--secure-port=${this.#ports.api}`,
      `--tls-cert-file=${file('server.crt')}`,
      `--tls-private-key-file=${file('server.key')}`,
      `--client-ca-file=${file('ca.crt')}`,
      '--authorization-mode=Node,RBAC',
      // As OpenShift has it: who names an owner needs rights to the owner.
      '--enable-admission-plugins=OwnerReferencesPermissionEnforcement',
      `--service-account-issuer=${this.url}`,
      `--service-account-key-file=${file('sa.pub')}`,
      `--service-account-signing-key-file=${file('sa.key')}`,
      `--service-cluster-ip-range=${SERVICES}.0/24`,
      '--endpoint-reconciler-type=none',
      `--watch-cache=${this.#options.watchCache ?? true}`,
      '--v=1',
    ]);
  }

  #startControllerManager(): void {
    const file = (name: string) => this.#certificates.file(name);
    this.#start('kube-controller-manager', [
      `--kubeconfig=${this.adminKubeconfig}`,
      '--use-service-account-credentials',
      `--root-ca-file=${file('ca.crt')}`,
      `--service-account-private-key-file=${file('sa.key')}`,
      '--leader-elect=false',
      '--secure-port=0',
      // Nobody beats the heart of a test's node.
      '--node-monitor-grace-period=1h',
      '--v=1',
    ]);
  }

  /** Ends one of the programs, as a crash would; it can be started again. */
  async kill(name: keyof ClusterPrograms): Promise<void> {
    const child = this.#running.get(name);
    this.#running.delete(name);
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  /** Lets etcd forget all but the present, as the API server has it do every five minutes. */
  async compact(): Promise<void> {
    const post = async (path: string, body: object) => {
      const reply = await fetch(`http://${HOST}:${this.#ports.etcd}/v3/kv/${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
      });
      if (!reply.ok) throw new Error(`etcd ${path}: ${reply.status} ${await reply.text()}`);
      return (await reply.json()) as { header: { revision: string } };
    };
    // A key that is surely not there: what counts is the revision in the answer.
    const { header } = await post('range', { key: 'AA==' });
    await post('compaction', { revision: header.revision, physical: true });
  }

  /** Resolves when the API server says that it is ready. */
  async ready(): Promise<void> {
    const deadline = Date.now() + READY_MS;
    let last = '';
    while (Date.now() < deadline) {
      const { code, stdout, stderr } = await this.kubectl('get', '--raw', '/readyz');
      if (code === 0 && stdout.startsWith('ok')) return;
      last = stderr;
      const ended = this.#running.get('kube-apiserver')?.exitCode;
      if (ended !== null) throw new Error(`kube-apiserver ended: see ${join(this.folder, 'kube-apiserver.log')}`);
      await sleep(200);
    }
    throw new Error(`the API server is not ready: ${last}`);
  }

  /** kubectl as administrator; `input`: its standard input. */
  kubectl(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    return this.kubectlWith('', ...args);
  }

  async kubectlWith(
    input: string,
    ...args: string[]
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = spawn(this.#programs.kubectl, [`--kubeconfig=${this.adminKubeconfig}`, ...args], {
      env: { HOME: this.folder },
    });
    const read = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (read.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => void (read.stderr += text));
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, ...read };
  }

  async stop(): Promise<void> {
    for (const name of ['kube-controller-manager', 'kube-apiserver', 'etcd'] as const) await this.kill(name);
    await rm(this.folder, { recursive: true, force: true });
  }

  #start(name: keyof ClusterPrograms, args: readonly string[]): void {
    const log = createWriteStream(join(this.folder, `${name}.log`), { flags: 'a' });
    const child = spawn(this.#programs[name], args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.pipe(log);
    child.stderr.pipe(log);
    this.#running.set(name, child);
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer();
          server.listen(0, HOST, () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
