import { totalmem } from 'node:os';

/** Bytes this process may use: its container's limit, or what the machine has. */
export function memoryLimit(constrained = process.constrainedMemory(), total = totalmem()): number {
  // 0: none is known; of version 1 of cgroups, none is a very large number.
  return constrained > 0 ? Math.min(constrained, total) : total;
}
