import { type Logger, pino } from "pino";

/** Structured logs on standard error, so that standard output stays for what a command was asked for. */
export function openLog(level: string): Logger {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}
