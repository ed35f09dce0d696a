import type { SessionStatus } from '../contract/index.js';
import { checkSessionName } from './check.js';
import { connectToRunning, fromWorker } from './connect.js';
import { formatSeconds, formatUsd } from './duration.js';
import type { Output } from './output.js';
import { renderTable } from './table.js';

const HEADER = ['SESSION', 'PHASE', 'GPU', 'POD', 'UP', 'COST', 'USERS', 'WAITING', 'ENDS'] as const;

export async function showSessions(out: Output): Promise<void> {
  const connected = await connectToRunning(out);
  const { client } = connected;
  try {
    const listed = await client.listSessions();
    const statuses = await fromWorker(connected, () =>
      Promise.all(listed.map(({ session }) => client.session(session).status())),
    );
    // The listing lags: what has ended since is not running.
    const running = statuses.filter(({ phase }) => phase !== 'stopped');
    const table = running.length === 0 ? 'no session is running' : renderTable(HEADER, running.map(sessionRow));
    out.result({ sessions: running }, table);
  } finally {
    await client.close();
  }
}

export async function showSession(name: string, out: Output): Promise<void> {
  checkSessionName(name);
  const connected = await connectToRunning(out);
  const { client } = connected;
  try {
    const status = await fromWorker(connected, () => client.session(name).status());
    out.result(status, sessionText(status));
  } finally {
    await client.close();
  }
}

/** One line of the table. Exported for its test. */
export function sessionRow(status: SessionStatus): string[] {
  const { session, phase, pod, uptimeSeconds, costUsd, leases, queued } = status;
  return [
    session,
    phase,
    pod?.gpu ?? '-',
    pod?.id ?? '-',
    formatSeconds(uptimeSeconds),
    formatUsd(costUsd),
    String(leases.length),
    String(queued),
    ends(status),
  ];
}

function ends({ phase, idleDeadline, hardDeadline, stopReason }: SessionStatus): string {
  if (stopReason !== undefined) return stopReason;
  if (phase === 'ready' && idleDeadline !== undefined) return `${idleDeadline} unless used`;
  return `${hardDeadline} at the latest`;
}

function sessionText(status: SessionStatus): string {
  const { session, phase, why, pod, endpoint, uptimeSeconds, costUsd, leases, queued, jobsServed, condemned } = status;
  const lines = [
    `${session} is ${phase}. ${why}`,
    ...(pod === undefined
      ? []
      : [`pod       ${pod.id} (${pod.gpu}, ${formatUsd(pod.costPerHourUsd)} an hour) since ${pod.createdAt}`]),
    ...(endpoint === undefined || phase === 'stopped' ? [] : [`endpoint  ${endpoint}`]),
    `cost      ${formatUsd(costUsd)} in ${formatSeconds(uptimeSeconds)}`,
    `jobs      ${jobsServed} served, ${queued} waiting`,
    ...leases.map((lease) => `used by   ${lease.label ?? lease.leaseId}, since ${lease.grantedAt}`),
    ...condemned.map((pod) => `given up  ${pod.id} since ${pod.since}: ${pod.lastError}`),
    ...(phase === 'stopped' ? [] : [`ends      ${ends(status)}`]),
  ];
  return lines.join('\n');
}
