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

const anyStackSchema = z.object({
  version: z.literal(1),
  startedAt: z.string(),
  temporalAddress: z.string(),
  namespace: z.string(),
  webUiUrl: z.string(),
  api: z.enum(API_KINDS),
  model: z.string(),
  logsDir: z.string(),
  supervisorStart: z.string(),
  died: z.array(
    z.object({ name: z.enum(STACK_CHILDREN), at: z.string(), code: z.int().nullable(), signal: z.string().nullable() }),
  ),
  /** It has begun to end: nobody joins it any more. */
  ending: z.boolean().optional(),
});

const pidsSchema = z.object({ supervisor: z.int(), temporal: z.int(), worker: z.int() });

const stackFileSchema = z.discriminatedUnion('runpod', [
  anyStackSchema.extend({
    runpod: z.literal('emulator'),
    emulatorUrl: z.string(),
    ledgerFile: z.string(),
    pids: pidsSchema.extend({ emulator: z.int() }),
  }),
  anyStackSchema.extend({ runpod: z.literal('account'), apiUrl: z.string(), pids: pidsSchema }),
]);

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

/** What this process, the supervisor, publishes of its stack. Nothing secret: whoever can read the file may. */
export function describeStack(dataDir: string, running: RunningStack): StackInfo {
  const { side, temporalAddress, webUiUrl, temporal, worker } = running;
  const { emulatorDir, logsDir } = dataPaths(dataDir);
  const self = ownIdentity();
  const pids = { supervisor: self.pid, temporal: temporal.identity.pid, worker: worker.identity.pid };
  const stack = {
    version: 1,
    startedAt: new Date().toISOString(),
    temporalAddress,
    namespace: NAMESPACE,
    webUiUrl,
    api: side.api,
    logsDir,
    supervisorStart: self.start,
    died: [],
  } as const;
  if (side.kind === 'account') {
    return { ...stack, runpod: 'account', apiUrl: side.account.apiUrl, model: side.model, pids };
  }
  return {
    ...stack,
    runpod: 'emulator',
    emulatorUrl: side.url,
    model: EMBEDDED_MODEL,
    ledgerFile: join(emulatorDir, 'ledger.json'),
    pids: { ...pids, emulator: side.child.identity.pid },
  };
}
