import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runHeadwater } from '../../cli/headwater.ts';

const BIN = join(import.meta.dirname, '../../bin/headwater.js');
/** Makes a process believe that its standard output is a terminal. */
export const ON_A_TERMINAL = ['--import', 'data:text/javascript,process.stdout.isTTY=true'];

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
  readonly cwd?: string;
}

/** The command in this process: what it prints and its exit code. */
export async function headwater(...args: string[]): Promise<Ended> {
  const printed = { stdout: '', stderr: '' };
  const out = (text: string) => void (printed.stdout += text);
  const err = (text: string) => void (printed.stderr += text);
  return { code: await runHeadwater(args, { program: 'headwater', env: {}, isTerminal: false, out, err }), ...printed };
}

/** `bin/headwater.js` as a process of its own, which the test's end ends. */
export class HeadwaterProcess {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => void (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => void (this.stderr += text));
    this.ended = once(child, 'close').then(([code]) => ({
      code: code as number | null,
      stdout: this.stdout,
      stderr: this.stderr,
    }));
  }

  static start(
    args: readonly string[],
    { env = {}, nodeOptions = [], cwd = '.' }: StartOptions = {},
  ): HeadwaterProcess {
    const child = spawn(process.execPath, [...nodeOptions, BIN, ...args], {
      cwd,
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    return new HeadwaterProcess(child);
  }

  static run(args: readonly string[], options?: StartOptions): Promise<Ended> {
    return HeadwaterProcess.start(args, options).ended;
  }

  /** What `pattern` matches in standard output or error, as soon as it stands there. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (match) resolve(match);
      };
      look();
      this.#child.stdout?.on('data', look);
      this.#child.stderr?.on('data', look);
      void this.ended.then(({ code, stdout, stderr }) =>
        reject(new Error(`ended with ${code} and without ${pattern}:\n${stdout}${stderr}`)),
      );
    });
  }

  signal(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    return this.ended;
  }

  /** As a reader such as `head` does when it has seen enough. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }
}
