import { literal } from '../contract/index.js';
import { once, type SessionFacts } from '../cost/session-facts.js';
import { costReport } from '../cost/report.js';
import type { JobFacts } from './job-facts.js';
import type { Logged } from './log-folder.js';

const LAST_JOBS = 10;
const DAY_MS = 86_400_000;
const WRITTEN = 'Written by `devloop log export`; change nothing here by hand.';

/** Every page by its file name: an index, and one for each month in which something ended. The same log gives the same pages. */
export function pagesOf({ sessions: all, jobs }: Logged): Map<string, string> {
  const sessions = once(all);
  const months = [...new Set([...sessions, ...jobs].map(({ endedAt }) => endedAt.slice(0, 7)))].sort().reverse();
  const pages = months.map((month) => [`${month}.md`, monthPage(month, { sessions, jobs })] as const);
  return new Map([['index.md', indexPage(months, { sessions, jobs })], ...pages]);
}

function indexPage(months: readonly string[], { sessions, jobs }: Logged): string {
  const rows = months.map((month) => {
    const { totalUsd, ended, done } = monthFigures(month, { sessions, jobs });
    return [`[${month}](${month}.md)`, String(ended.length), String(done.length), usd(totalUsd)];
  });
  const total = sessions.length === 0 ? 0 : wholeCost(sessions);
  return page('What ran, and what it cost', [
    `${sessions.length} sessions and ${jobs.length} jobs have ended; together they cost ${usd(total)}. Times are UTC.`,
    ...section('Months', ['Month', 'Sessions', 'Jobs', 'Cost'], rows),
    ...section('How long a pod takes', ['Phase', 'Times', 'p50', 'p95'], bootRows(sessions)),
    ...section(`The last ${LAST_JOBS} jobs`, JOB_HEADER, newestFirst(jobs).slice(0, LAST_JOBS).map(jobRow)),
  ]);
}

function monthPage(month: string, logged: Logged): string {
  const { report, totalUsd, ended, done } = monthFigures(month, logged);
  const { perDay, perProject, perGpu, shares, problems } = report;
  const { busyUsd, bootUsd, idleUsd } = shares;
  return page(month, [
    `${usd(totalUsd)}: ${usd(busyUsd)} in use, ${usd(bootUsd)} booting, ${usd(idleUsd)} unused.`,
    ...section(
      'Days',
      ['Day', 'Cost', 'Projects'],
      perDay
        .filter((day) => day.usd > 0)
        .map((day) => {
          return [day.day, usd(day.usd), day.byProject.map((p) => `${literal(p.project)} ${usd(p.usd)}`).join(', ')];
        }),
    ),
    ...section(
      'Projects',
      ['Project', 'Cost', 'Leases', 'Seconds'],
      perProject.map((p) => [literal(p.project), usd(p.usd), String(p.leases), p.leaseSeconds.toFixed(1)]),
    ),
    ...section(
      'GPUs',
      ['GPU', 'Cost', 'Hours'],
      perGpu.map((gpu) => [literal(gpu.gpu), usd(gpu.usd), (gpu.podSeconds / 3600).toFixed(2)]),
    ),
    ...section('Sessions', ['Ended', 'Session', 'Project', 'End', 'Pods'], newestFirst(ended).map(sessionRow)),
    ...section('Jobs', JOB_HEADER, newestFirst(done).map(jobRow)),
    ...(problems.length === 0
      ? []
      : ['', '## Not in the figures', '', ...problems.map((text) => `- ${literal(text)}`)]),
  ]);
}

function monthFigures(month: string, { sessions, jobs }: Logged) {
  const fromMs = Date.parse(`${month}-01T00:00:00.000Z`);
  const next = new Date(fromMs + 32 * DAY_MS).toISOString().slice(0, 7);
  const untilMs = Date.parse(`${next}-01T00:00:00.000Z`) - 1;
  const report = costReport({ sessions, problems: [] }, fromMs, untilMs);
  const isIn = ({ endedAt }: { endedAt: string }): boolean => endedAt.startsWith(month);
  return { report, totalUsd: report.totalUsd, ended: sessions.filter(isIn), done: jobs.filter(isIn) };
}

function wholeCost(sessions: readonly SessionFacts[]): number {
  const moments = sessions.flatMap(({ startedAt, endedAt }) => [Date.parse(startedAt), Date.parse(endedAt)]);
  return costReport({ sessions, problems: [] }, Math.min(...moments), Math.max(...moments)).totalUsd;
}

function bootRows(sessions: readonly SessionFacts[]): string[][] {
  const phases = sessions.flatMap((session) => session.phases);
  return (['creating', 'booting'] as const).map((phase) => {
    const seconds = phases.filter((one) => one.phase === phase).map((one) => one.seconds);
    const at = (share: number): string => {
      const value = quantile(seconds, share);
      return value === undefined ? '–' : `${value.toFixed(1)} s`;
    };
    return [phase, String(seconds.length), at(0.5), at(0.95)];
  });
}

/** The smallest value that so many of all do not exceed. Exported for its test. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

const JOB_HEADER = ['Ended', 'Job', 'Project', 'Agent', 'Session', 'State', 'Waited', 'Ran', 'Tokens in, out'];

function jobRow(job: JobFacts): string[] {
  const { endedAt, jobId, project, agent, session, state, code, waitSeconds, runSeconds, usage } = job;
  const seconds = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(1)} s`);
  return [
    minute(endedAt),
    literal(jobId),
    literal(project ?? '–'),
    literal(agent ?? '–'),
    literal(session ?? '–'),
    endText(state, code),
    seconds(waitSeconds),
    seconds(runSeconds),
    usage ? `${usage.inputTokens}, ${usage.outputTokens}` : '–',
  ];
}

function sessionRow({ endedAt, session, project, state, code, pods }: SessionFacts): string[] {
  const shown = pods.map(({ id, gpu }) => `${literal(id)} (${literal(gpu)})`).join(', ');
  return [minute(endedAt), literal(session), literal(project ?? '–'), endText(state, code), shown || '–'];
}

function endText(state: string, code: string | undefined): string {
  return code === undefined ? state : `${state}: ${literal(code)}`;
}

function minute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

function newestFirst<T extends { readonly endedAt: string; readonly runId: string }>(lines: readonly T[]): T[] {
  return [...lines].sort((a, b) => b.endedAt.localeCompare(a.endedAt) || b.runId.localeCompare(a.runId));
}

function usd(amount: number): string {
  return literal(`$${amount.toFixed(amount < 1 ? 4 : 2)}`);
}

function section(title: string, header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ['', `## ${title}`, '', 'None yet.'];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return ['', `## ${title}`, '', line(header), line(header.map(() => '---')), ...rows.map(line)];
}

function page(title: string, lines: readonly string[]): string {
  return [`# ${title}`, '', ...lines, '', WRITTEN, ''].join('\n');
}
