import type { AgentJobResult, PodSummary, SessionRecord, Usage } from '../../contract/index.js';
import { formatSeconds, formatUsd } from '../duration.js';
import type { PhaseSeconds } from '../stack-progress.js';
import type { Bill } from './bill.js';

/** What `start-session --json` prints. Null: there was none. `error` only when something failed after the session was accepted. */
export interface SessionReport {
  readonly session: string;
  readonly pod: Pick<PodSummary, 'id' | 'name' | 'gpu' | 'costPerHourUsd'> | null;
  readonly answer: string | null;
  readonly usage: Usage | null;
  readonly phases: readonly PhaseSeconds[];
  readonly billedSeconds: number;
  readonly costUsd: number;
  readonly stopReason: string | null;
  /** The emulator's ledger, which stays after the end; a real account has none here. */
  readonly ledgerFile: string | null;
}

export interface ReportParts {
  readonly session: string;
  /** Seconds of the stack's own steps, when this command started it. */
  readonly stackPhases: readonly PhaseSeconds[];
  readonly answer: AgentJobResult | undefined;
  readonly record: SessionRecord | undefined;
  readonly bill: Bill;
}

export function sessionReport({ session, stackPhases, answer, record, bill }: ReportParts): SessionReport {
  const pod = record?.pods.at(-1);
  return {
    session,
    pod: pod === undefined ? null : { id: pod.id, name: pod.name, gpu: pod.gpu, costPerHourUsd: pod.costPerHourUsd },
    answer: answer?.output ?? null,
    usage: answer?.usage ?? null,
    phases: [...stackPhases, ...(record?.phases ?? [])],
    billedSeconds: bill.billedSeconds,
    costUsd: bill.costUsd,
    stopReason: record?.stopReason ?? null,
    ledgerFile: bill.ledgerFile ?? null,
  };
}

/** One line for people: what was billed, for which pod, according to whom. */
export function billLine(record: SessionRecord | undefined, bill: Bill): string {
  const { billedSeconds, costUsd, alive, source, ledgerFile } = bill;
  const reason = record === undefined ? '' : ` (${record.stopReason})`;
  const book = ledgerFile === undefined ? '' : `; ledger: ${ledgerFile}`;
  const by = source === 'ledger' ? "by the emulator's ledger" : "by the session's record";
  const pods = (record?.pods ?? []).map((pod) => pod.id).join(', ');
  const gone = pods === '' ? 'no pod was rented' : `pod ${pods} is gone`;
  const outcome = alive.length === 0 ? gone : `STILL BILLED: ${alive.join(', ')}`;
  return `● ended${reason}: ${outcome}; billed ${formatSeconds(billedSeconds)}, ${formatUsd(costUsd)} ${by}${book}`;
}
