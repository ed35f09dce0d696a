import { pino, type Logger } from 'pino';

/** Where a secret could hide in what is logged. A task token lets its holder complete an activity. */
const SECRET_PATHS = [
  'taskToken',
  '*.taskToken',
  'headers.authorization',
  '*.headers.authorization',
  '*.headers.Authorization',
];

const FILE_DESCRIPTORS = { stdout: 1, stderr: 2 } as const;

/** JSON lines. @param level pino's */
export function createLogger(level: string, to: keyof typeof FILE_DESCRIPTORS = 'stdout'): Logger {
  const options = { level, redact: { paths: SECRET_PATHS, censor: '[redacted]' }, base: null };
  return pino(options, pino.destination(FILE_DESCRIPTORS[to]));
}
