import { readFile } from 'node:fs/promises';

/** Whether a process runs; one that ended and was not waited for does not. */
export async function isLiving(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return !/^\d+ \(.*\) [ZX] /s.test(stat);
  } catch {
    return false;
  }
}
