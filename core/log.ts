import pino from 'pino';

export type Log = pino.Logger;
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** JSON lines on standard output, written in batches: a write per line costs more CPU than the line itself. */
export function createLog(level: LogLevel): { log: Log; flush: () => void } {
  const destination = pino.destination({ dest: 1, sync: false, minLength: 12_288, periodicFlush: 100 });
  const formatters = { level: (label: string) => ({ level: label }) };
  const log = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters }, destination);
  return { log, flush: () => destination.flushSync() };
}
