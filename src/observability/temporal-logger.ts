import { DefaultLogger, type LogEntry, type Logger } from '@temporalio/worker';
import type { Logger as PinoLogger } from 'pino';

/** Temporal's logger on top of pino: workflow and activity logs carry their ids as fields. */
export function temporalLogger(log: PinoLogger): Logger {
  return new DefaultLogger('TRACE', ({ level, message, meta }: LogEntry) => {
    const { error, ...fields } = meta ?? {};
    const record = error === undefined ? fields : { ...fields, err: error as unknown };
    log[pinoLevel(level)](record, message);
  });
}

function pinoLevel(level: LogEntry['level']): 'trace' | 'debug' | 'info' | 'warn' | 'error' {
  return level.toLowerCase() as 'trace' | 'debug' | 'info' | 'warn' | 'error';
}
