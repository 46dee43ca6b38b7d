import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tools } from './tools.ts';

/** The load, its sink and this process share one processor; what is measured has the other to itself. */
export const LOAD_CPU = 0;
export const MEASURED_CPU = 1;

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment: nothing is inherited that could change a figure. */
  readonly env?: Readonly<Record<string, string>>;
  /** It is killed after so long; 0: when the scope is closed. */
  readonly limitMs?: number;
}

/** A temporary folder and child processes that do not outlive this process, however it ends short of SIGKILL. */
export class RunScope {
  readonly folder = mkdtempSync(join(tmpdir(), 'headwater-bench-'));
  readonly tools: Tools;
  readonly #children = new Set<ChildProcess>();

  constructor(tools: Tools) {
    this.tools = tools;
    process.once('exit', () => this.close());
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => process.exit(128 + constants.signals[signal]));
    }
  }

  /** Starts `program` on one processor; its standard output is thrown away unless it is to be read. */
  start(program: Program, cpu: number, stdout: 'ignore' | 'pipe' = 'ignore'): ChildProcess {
    const { command, args, env = {}, limitMs = 0 } = program;
    const child = spawn(this.tools.taskset, ['-c', String(cpu), command, ...args], {
      env,
      cwd: this.folder,
      stdio: ['ignore', stdout, 'inherit'],
      timeout: limitMs,
      killSignal: 'SIGKILL',
    });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    return child;
  }

  async stop(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await closed;
  }

  /** Waits for the children, so that nothing of them is left when this process ends. */
  async stopAll(): Promise<void> {
    await Promise.all(Array.from(this.#children, (child) => this.stop(child)));
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
