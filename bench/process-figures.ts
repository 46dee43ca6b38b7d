import { readFile, writeFile } from 'node:fs/promises';

/** /proc counts in units of USER_HZ, which is 100 on every architecture Node runs on. */
const TICK_MS = 10;

/** User and system time of all threads of a process so far. */
export async function cpuMs(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1');
  // proc(5): utime and stime are fields 14 and 15; the name, field 2, ends with the last parenthesis.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** What one processor did so far: for any process, and for other guests of the same machine. */
export async function processorMs(cpu: number): Promise<number> {
  const text = await readFile('/proc/stat', 'latin1');
  const fields = new RegExp(`^cpu${cpu} (.*)$`, 'm').exec(text)?.[1]?.split(' ').map(Number) ?? [];
  // proc(5). Not idle, and not interrupts, which are nobody's: the loopback interface's are those of all of us.
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = fields;
  return (user + nice + system + steal) * TICK_MS;
}

/** Resident memory: now, and the most since it was last reset. */
export async function memoryMb(pid: number): Promise<{ readonly now: number; readonly peak: number }> {
  const text = await readFile(`/proc/${pid}/status`, 'latin1');
  const megabytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { now: megabytes('VmRSS'), peak: megabytes('VmHWM') };
}

export async function resetPeakMemory(pid: number): Promise<void> {
  // proc(5), clear_refs: 5 resets the peak.
  await writeFile(`/proc/${pid}/clear_refs`, '5');
}
