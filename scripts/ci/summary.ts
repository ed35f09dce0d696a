import * as z from 'zod';
import { sessionRecordSchema } from '../../src/contract/index.js';
import { formatUsd } from '../../src/cli/duration.js';

const failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
const stopped = z.object({ sessions: z.tuple([sessionRecordSchema]) });
const reaped = z.object({
  found: z.array(
    z.object({
      id: z.string(),
      session: z.string(),
      gpu: z.string().optional(),
      costPerHourUsd: z.number().optional(),
      createdAt: z.string().optional(),
    }),
  ),
  left: z.array(z.string()),
});

/** A pod's end as a job's summary shows it. Undefined: not known. */
interface Row {
  readonly session: string;
  readonly pod?: string | undefined;
  readonly gpu?: string | undefined;
  readonly usdPerHour?: number | undefined;
  readonly seconds?: number | undefined;
  readonly costUsd?: number | undefined;
  readonly why: string;
}

export interface Summary {
  /** Empty: nothing to say. */
  readonly markdown: string;
  /** Of a step, by name. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** @param document what `devloop stop --json` printed */
export function stoppedSummary(document: unknown): Summary {
  const error = failure.safeParse(document);
  if (error.success) return failed('not stopped by its own workflow', error.data);
  const [{ session, pods, stopReason, costUsd }] = stopped.parse(document).sessions;
  const rows = pods.map(({ id, gpu, costPerHourUsd, createdAt, endedAt, costUsd }): Row => {
    const seconds = secondsBetween(createdAt, Date.parse(endedAt));
    return { session, pod: id, gpu, usdPerHour: costPerHourUsd, seconds, costUsd, why: stopReason };
  });
  const last = pods.at(-1);
  return {
    markdown: table(rows.length > 0 ? rows : [{ session, why: stopReason, costUsd }]),
    outputs: outputsOf(last?.id, costUsd),
  };
}

/** @param document what `devloop reap --session … --json` printed */
export function reapedSummary(document: unknown, nowMs: number): Summary {
  const error = failure.safeParse(document);
  if (error.success) return failed("RunPod's list not read", error.data);
  const { found, left } = reaped.parse(document);
  const rows = found.map(({ id, session, gpu, costPerHourUsd, createdAt }): Row => {
    const seconds = createdAt === undefined ? undefined : secondsBetween(createdAt, nowMs);
    const costUsd =
      seconds === undefined || costPerHourUsd === undefined ? undefined : (seconds / 3600) * costPerHourUsd;
    const why = left.includes(id) ? '**NOT ENDED: look at the console of RunPod**' : 'ended by `devloop reap`';
    return { session, pod: id, gpu, usdPerHour: costPerHourUsd, seconds, costUsd, why };
  });
  const last = rows.at(-1);
  return { markdown: rows.length > 0 ? table(rows) : '', outputs: outputsOf(last?.pod, last?.costUsd) };
}

function outputsOf(podId: string | undefined, costUsd: number | undefined): Record<string, string> {
  return {
    ...(podId === undefined ? {} : { 'pod-id': podId }),
    ...(costUsd === undefined ? {} : { 'cost-usd': costUsd.toFixed(4) }),
  };
}

function failed(what: string, { error: { code, message } }: z.output<typeof failure>): Summary {
  return { markdown: `### Devloop: ${what}\n\n${plain(message)} [${code}]\n`, outputs: {} };
}

const HEADER = ['Session', 'Pod', 'GPU', 'Price an hour', 'Seconds', 'Cost', 'Why it stopped'];

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ session, pod, gpu, usdPerHour, seconds, costUsd, why }) =>
    line(
      [session, pod, gpu, usd(usdPerHour), seconds?.toFixed(0), usd(costUsd), why].map((cell) => plain(cell ?? '-')),
    ),
  );
  return ['### Devloop', '', line(HEADER), line(HEADER.map(() => '---')), ...lines, ''].join('\n');
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const usd = (amount: number | undefined): string | undefined => (amount === undefined ? undefined : formatUsd(amount));
/** What comes from elsewhere must not end its cell, nor become markup. */
const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(/[|<>]/g, String.raw`\$&`);
const secondsBetween = (start: string, endMs: number): number => Math.max(0, (endMs - Date.parse(start)) / 1000);
