import { DefaultLogger, type LogEntry, type Logger } from '@temporalio/worker';
import { pino, type Logger as PinoLogger } from 'pino';

/** Where a secret could hide in what is logged. A task token lets its holder complete an activity. */
const SECRET_PATHS = [
  'taskToken',
  '*.taskToken',
  'headers.authorization',
  '*.headers.authorization',
  '*.headers.Authorization',
];

/** JSON lines on stdout. @param level pino's */
export function createLogger(level: string): PinoLogger {
  return pino({ level, redact: { paths: SECRET_PATHS, censor: '[redacted]' }, base: null });
}

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
