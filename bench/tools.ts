import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { availableParallelism } from 'node:os';
import { delimiter, join } from 'node:path';
import { ConfigurationError } from '../core/errors.ts';

/** Paths of the programs the bench runs beside Node. */
export interface Tools {
  readonly wrk: string;
  readonly nginx: string;
  readonly taskset: string;
}

/** Where Debian keeps nginx; users other than root seldom have it in PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** @throws ConfigurationError when a program or the second processor is missing. */
export function findTools(path: string): Tools {
  const folders = [...path.split(delimiter).filter(Boolean), ...SYSTEM_FOLDERS];
  const tools = { wrk: find('wrk', folders), nginx: find('nginx', folders), taskset: find('taskset', folders) };
  const missing = Object.entries(tools).flatMap(([name, found]) => (found === '' ? [name] : []));
  const problems: string[] = [];
  if (process.platform !== 'linux') problems.push('the bench reads /proc, and so runs on Linux only');
  if (missing.length > 0) {
    problems.push(`${missing.join(' and ')} not found; on Debian: apt-get install wrk nginx-light util-linux`);
  }
  if (availableParallelism() < 2)
    problems.push('two processors are needed: one for the load, one for what is measured');
  if (problems.length > 0) throw new ConfigurationError('bench', problems);
  return tools;
}

/** All threads of this process, and what it starts from now on, run on `cpu`. */
export function pinThisProcess({ taskset }: Tools, cpu: number): void {
  execFileSync(taskset, ['-a', '-c', '-p', String(cpu), String(process.pid)], { stdio: 'ignore', timeout: 5000 });
}

function find(name: string, folders: readonly string[]): string {
  const isExecutable = (file: string): boolean => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? '';
}
