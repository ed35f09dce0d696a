import * as z from 'zod';
import { parsePodName, type SessionRecord } from '../../contract/index.js';
import type { StackInfo } from '../../embedded/index.js';

const LEDGER_TIMEOUT_MS = 5000;

const ledgerSchema = z.object({
  pods: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      status: z.string(),
      terminatedAt: z.string().nullable(),
      billedSeconds: z.number(),
      costUsd: z.number(),
    }),
  ),
});

export interface Bill {
  readonly billedSeconds: number;
  readonly costUsd: number;
  /** Pods that are still billed: there must be none after a verified end. */
  readonly alive: readonly string[];
  /** The emulator's book, else Devloop's own record of prices and times. */
  readonly source: 'ledger' | 'record';
  readonly ledgerFile: string | undefined;
}

/** What a session cost: by the emulator's ledger where there is one, since that is what was billed; else by its record. */
export async function billOf(
  session: string,
  firstRunId: string,
  record: SessionRecord | undefined,
  stack: StackInfo | undefined,
): Promise<Bill> {
  if (stack?.runpod === 'emulator') {
    const pods = await ledgerRows(stack.emulatorUrl, session, firstRunId);
    if (pods !== undefined) {
      return {
        billedSeconds: sum(pods.map((pod) => pod.billedSeconds)),
        costUsd: sum(pods.map((pod) => pod.costUsd)),
        alive: pods.filter((pod) => pod.terminatedAt === null).map((pod) => pod.id),
        source: 'ledger',
        ledgerFile: stack.ledgerFile,
      };
    }
  }
  const pods = record?.pods ?? [];
  return {
    billedSeconds: sum(pods.map((pod) => (Date.parse(pod.endedAt) - Date.parse(pod.createdAt)) / 1000)),
    costUsd: record?.costUsd ?? 0,
    alive: [],
    source: 'record',
    ledgerFile: stack?.runpod === 'emulator' ? stack.ledgerFile : undefined,
  };
}

/** Undefined when the emulator does not answer: the record speaks then. */
async function ledgerRows(emulatorUrl: string, session: string, firstRunId: string) {
  try {
    const response = await fetch(`${emulatorUrl}/admin/ledger`, { signal: AbortSignal.timeout(LEDGER_TIMEOUT_MS) });
    const { pods } = ledgerSchema.parse(await response.json());
    return pods.filter(({ name }) => {
      const parts = parsePodName(name);
      return parts?.session === session && parts.firstRunId === firstRunId;
    });
  } catch {
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
