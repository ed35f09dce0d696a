import { sinceMs, type CostReport } from '../cost/cost-report.js';
import { dayStart } from '../cost/days.js';
import { readSessions } from '../cost/read-sessions.js';
import { wantsAttention, type BillLine } from '../cost/reconcile.js';
import { costReport, type KnownSessions } from '../cost/report.js';
import { once } from '../cost/session-facts.js';
import { LogFolder } from '../log/log-folder.js';
import { connectToRunning } from './connect.js';
import { billLines } from './bill-lines.js';
import { formatSeconds, formatUsd } from './duration.js';
import { EXIT } from './exit-codes.js';
import { Interrupt } from './interrupt.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { renderTable } from './table.js';

export interface CostQuestion {
  /** As `sinceSchema` takes it. */
  readonly since: string;
  readonly reconcile: boolean;
  /** Folder of the public log. */
  readonly log: string;
}

export async function showCosts({ since, reconcile, log }: CostQuestion, out: Output): Promise<void> {
  const { client } = await connectToRunning(out);
  const interrupt = new Interrupt(out);
  const progress = await Progress.create(out);
  try {
    const untilMs = Date.now();
    const fromMs = dayStart(untilMs - sinceMs(since));
    if (out.live) progress.start('read', 'reading what sessions cost');
    const now = await readSessions(client, new Date(fromMs), interrupt.signal);
    // What Temporal still has is newer than its line in the log.
    const known: KnownSessions = { ...now, sessions: once([...now.sessions, ...new LogFolder(log).read().sessions]) };
    const report = costReport(known, fromMs, untilMs);
    const bill = reconcile ? await billLines(known.sessions, fromMs, untilMs, interrupt.signal) : undefined;
    progress.clear();
    out.result({ ...report, ...(bill && { bill }) }, text(report, bill));
    for (const problem of report.problems) out.error(`not in the figures: ${problem}`);
    if (bill?.some(wantsAttention)) process.exitCode = EXIT.found;
  } finally {
    progress.clear();
    interrupt.dispose();
    await client.close();
  }
}

function text(report: CostReport, bill: readonly BillLine[] | undefined): string {
  const { since, totalUsd, perHourNowUsd, shares, perDay, perProject, perGpu } = report;
  const { busyUsd, bootUsd, idleUsd } = shares;
  const days = perDay.map(({ day, usd, byProject }) => {
    return [day, formatUsd(usd), byProject.map((of) => `${of.project} ${formatUsd(of.usd)}`).join(', ')];
  });
  const projects = perProject.map(({ project, usd, leases, leaseSeconds }) => {
    return [project, formatUsd(usd), String(leases), formatSeconds(leaseSeconds)];
  });
  const gpus = perGpu.map(({ gpu, usd, podSeconds }) => [gpu, formatUsd(usd), formatSeconds(podSeconds)]);
  return [
    `${formatUsd(totalUsd)} since ${since}: ${formatUsd(busyUsd)} in use, ${formatUsd(bootUsd)} booting, ${formatUsd(idleUsd)} unused; now ${formatUsd(perHourNowUsd)} an hour`,
    renderTable(['DAY', 'COST', 'PROJECTS'], days),
    ...(projects.length === 0 ? [] : [renderTable(['PROJECT', 'COST', 'LEASES', 'HELD'], projects)]),
    ...(gpus.length === 0 ? [] : [renderTable(['GPU', 'COST', 'LIVED'], gpus)]),
    ...(bill ? [billText(bill)] : []),
  ].join('\n\n');
}

function billText(bill: readonly BillLine[]): string {
  if (bill.length === 0) return 'RunPod bills no pod of that time.';
  const rows = bill.map(({ day, podId, session, name, oursUsd, billedUsd, differenceUsd, diskUsd, verdict }) => [
    day,
    podId,
    session ?? name ?? '-',
    formatUsd(oursUsd),
    formatUsd(billedUsd),
    `${differenceUsd < 0 ? '-' : '+'}${formatUsd(Math.abs(differenceUsd))}`,
    formatUsd(diskUsd),
    verdict,
  ]);
  return renderTable(['DAY', 'POD', 'SESSION', 'OURS', 'RUNPOD', 'DIFFERENCE', 'DISKS', 'VERDICT'], rows);
}
