import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { HeadwaterProcess } from './headwater.ts';

export function exampleFolder(name: string): string {
  return join(import.meta.dirname, '../../examples', name);
}

const FREE_PORTS = ['port', 'broker-port', 'dump-port', 'simulator-port'].flatMap((name) => [`--${name}`, '0']);

/** `headwater dev --simulate --run` over files of an example, as a user would start it, on free ports. */
export class ExampleRun {
  readonly dev: HeadwaterProcess;
  readonly #paths: readonly string[];
  readonly #cwd: string;

  private constructor(dev: HeadwaterProcess, paths: readonly string[], cwd: string) {
    this.dev = dev;
    this.#paths = paths;
    this.#cwd = cwd;
  }

  static start(paths: readonly string[], cwd: string): ExampleRun {
    const files = paths.flatMap((path) => ['-f', path]);
    return new ExampleRun(
      HeadwaterProcess.start(['dev', ...files, '--simulate', '--run', ...FREE_PORTS], { cwd }),
      paths,
      cwd,
    );
  }

  /** What `pattern` matches in what it prints, as soon as it stands there; where it never does, all that it printed. */
  sees(pattern: RegExp): Promise<RegExpExecArray> {
    return vi.waitFor(
      () => {
        const { stdout, stderr } = this.dev;
        return pattern.exec(stdout) ?? expect.fail(`${pattern} is not in:\n${stdout}${stderr}`);
      },
      { timeout: 30_000, interval: 20 },
    );
  }

  /** Sends a recorded event or a file by `headwater send`; it must be kept. */
  async send(what: string): Promise<void> {
    const [, adapter = ''] = await this.sees(/^adapter +(http:\S+)$/m);
    const files = this.#paths.flatMap((path) => ['-f', path]);
    const sent = await HeadwaterProcess.run(['send', what, ...files, '--adapter', adapter], { cwd: this.#cwd });
    expect(sent).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^202 kept/) });
  }

  /** Sends a CloudEvent without data to the Broker `default`, as a producer elsewhere would. */
  async emit({ id = randomUUID(), ...attributes }: Readonly<Record<string, string>>): Promise<void> {
    const [, broker = ''] = await this.sees(/^broker +(http:\S+)\/<namespace>\/<name>$/m);
    const named = Object.entries({ specversion: '1.0', id, ...attributes });
    const headers = Object.fromEntries(named.map(([name, value]) => [`ce-${name}`, value]));
    const { status } = await fetch(`${broker}/default/default`, { method: 'POST', headers });
    expect(status).toBe(202);
  }

  /** What the commands of the example printed so far. */
  output(): readonly string[] {
    return this.dev.stdout.split('\n').filter((line) => /^[A-Z]\w+ \S+ \| /.test(line));
  }

  /** Ends it as Ctrl-C does; nothing was lost. */
  async end(): Promise<void> {
    const { code, stdout, stderr } = await this.dev.signal('SIGINT');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toMatch(/ (lost|given up|skipped)/);
  }
}
