import { join } from 'node:path';
import * as z from 'zod';
import { API_KINDS } from '../contract/index.js';
import type { RunningStack } from './bring-up.js';
import { EMBEDDED_MODEL, NAMESPACE } from './child-environment.js';
import { dataPaths } from './data-dir.js';
import { readJson } from './files.js';
import { isRunning, ownIdentity, type ProcessIdentity } from './processes.js';
import { STACK_CHILDREN, type StackInfo } from './stack-types.js';

const identitySchema = z.object({ pid: z.int().positive(), start: z.string() });

const stackFileSchema = z.object({
  version: z.literal(1),
  startedAt: z.string(),
  temporalAddress: z.string(),
  namespace: z.string(),
  webUiUrl: z.string(),
  emulatorUrl: z.string(),
  api: z.enum(API_KINDS),
  model: z.string(),
  ledgerFile: z.string(),
  logsDir: z.string(),
  pids: z.object({ supervisor: z.int(), temporal: z.int(), emulator: z.int(), worker: z.int() }),
  supervisorStart: z.string(),
  died: z.array(
    z.object({ name: z.enum(STACK_CHILDREN), at: z.string(), code: z.int().nullable(), signal: z.string().nullable() }),
  ),
  /** It has begun to end: nobody joins it any more. */
  ending: z.boolean().optional(),
});

export type StackFile = StackInfo & { readonly ending?: boolean | undefined };

/** The stack of this data folder: only when it is ready, its supervisor lives and it has not begun to end. */
export function readStack(dataDir: string): StackInfo | undefined {
  const parsed = stackFileSchema.safeParse(readJson(dataPaths(dataDir).stackFile));
  if (!parsed.success || parsed.data.ending) return undefined;
  return isRunning(supervisorOf(parsed.data)) ? parsed.data : undefined;
}

export function supervisorOf(info: StackInfo): ProcessIdentity {
  return { pid: info.pids.supervisor, start: info.supervisorStart };
}

export function parseIdentity(value: unknown): ProcessIdentity | undefined {
  const parsed = identitySchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** What this process, the supervisor, publishes of its stack. */
export function describeStack(dataDir: string, running: RunningStack): StackInfo {
  const { api, temporalAddress, webUiUrl, emulatorUrl, children } = running;
  const { emulatorDir, logsDir } = dataPaths(dataDir);
  const self = ownIdentity();
  return {
    version: 1,
    startedAt: new Date().toISOString(),
    temporalAddress,
    namespace: NAMESPACE,
    webUiUrl,
    emulatorUrl,
    api,
    model: EMBEDDED_MODEL,
    ledgerFile: join(emulatorDir, 'ledger.json'),
    logsDir,
    pids: {
      supervisor: self.pid,
      temporal: children.temporal.identity.pid,
      emulator: children.emulator.identity.pid,
      worker: children.worker.identity.pid,
    },
    supervisorStart: self.start,
    died: [],
  };
}
