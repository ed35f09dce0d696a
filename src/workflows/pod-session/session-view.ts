import { isAccepting, literal, type PodSummary, type SessionRecord, type SessionStatus } from '../../contract/index.js';
import { clock, iso, roundSeconds, roundUsd } from './clock-text.js';
import type { EndedLease, SessionData, SessionPod } from './session-data.js';
import { limitsOf } from './session-deadlines.js';
import { busyMs, costOf, podsOf, specOf } from './session-pods.js';
import { SessionState } from './session-state.js';

function costUsd(pod: SessionPod, nowMs: number): number {
  return roundUsd(costOf(pod, nowMs));
}

export function sessionCostUsd(data: SessionData, nowMs: number): number {
  return roundUsd(podsOf(data).reduce((sum, pod) => sum + costOf(pod, nowMs), 0));
}

/** The pod in use; while and after the session ends, the one that it had last. */
function shownPod({ phase, pod, pastPods }: SessionData): SessionPod | undefined {
  return pod ?? (isAccepting(phase) ? undefined : pastPods?.at(-1));
}

export function sessionStatus(data: SessionData, nowMs: number): SessionStatus {
  const state = SessionState.resume(data);
  const idleMs = state.idleDeadlineMs();
  const pod = shownPod(data);
  return {
    session: data.spec.session,
    phase: data.phase,
    pod: pod && podSummary(pod),
    condemned: (data.condemned ?? []).map(({ podId, name, sinceMs, lastError }) => ({
      id: podId ?? 'not known',
      name,
      since: iso(sinceMs),
      lastError,
    })),
    endpoint: pod?.endpoint,
    uptimeSeconds: pod ? roundSeconds((pod.endedAtMs ?? nowMs) - pod.createdAtMs) : 0,
    costUsd: sessionCostUsd(data, nowMs),
    leases: data.leases.map(({ leaseId, holder, project, label, hold, grantedAtMs, expiresAtMs, lastUsedAtMs }) => ({
      leaseId,
      holder,
      project,
      label,
      grantedAt: iso(grantedAtMs),
      expiresAt: iso(expiresAtMs),
      lastUsedAt: iso(lastUsedAtMs),
      hold,
    })),
    queued: data.queue.length,
    idleDeadline: idleMs === undefined ? undefined : iso(idleMs),
    hardDeadline: iso(state.endDeadline().atMs),
    why: why(state),
    stopReason: data.stop?.reason,
    jobsServed: data.jobsServed,
    spec: specOf(data),
  };
}

export function sessionRecord(data: SessionData, endedAtMs: number): SessionRecord {
  const { spec } = data;
  return {
    session: spec.session,
    firstRunId: data.firstRunId,
    project: spec.project,
    startedBy: spec.startedBy,
    startedAt: iso(data.startedAtMs),
    endedAt: iso(endedAtMs),
    phases: data.phaseLog
      .filter(({ phase }) => phase !== 'stopped')
      .map(({ phase, atMs }, i) => ({
        phase,
        seconds: roundSeconds((data.phaseLog[i + 1]?.atMs ?? endedAtMs) - atMs),
      })),
    pods: podsOf(data).map((pod) => ({
      ...podSummary(pod),
      readyAt: pod.readyAtMs === undefined ? undefined : iso(pod.readyAtMs),
      endedAt: iso(pod.endedAtMs ?? endedAtMs),
      busySeconds: busyMs(pod, endedAtMs) / 1000,
      costUsd: costUsd(pod, endedAtMs),
    })),
    costUsd: sessionCostUsd(data, endedAtMs),
    leases: data.endedLeases.map(({ leaseId, project, label, grantedAtMs, endedAtMs: leaseEndMs, end }) => ({
      leaseId,
      project,
      label,
      grantedAt: iso(grantedAtMs),
      seconds: roundSeconds(leaseEndMs - grantedAtMs),
      end,
    })),
    earlierLeases: data.earlierLeases?.map(({ project, leases, ms }) => ({ project, leases, seconds: ms / 1000 })),
    jobsServed: data.jobsServed,
    stopReason: data.stop?.reason ?? 'ended',
    unsettled: data.unsettled,
  };
}

/** As the record would be if the session ended now, with the leases that are held. */
export function recordSoFar(data: SessionData, nowMs: number): SessionRecord {
  const record = sessionRecord(data, nowMs);
  const held = data.leases.map(({ leaseId, project, label, grantedAtMs }) => ({
    leaseId,
    project,
    label,
    grantedAt: iso(grantedAtMs),
    seconds: roundSeconds(nowMs - grantedAtMs),
    end: 'held' as const,
  }));
  return { ...record, leases: [...record.leases, ...held], stopReason: data.stop?.reason ?? 'it has not ended' };
}

/** Markdown for Temporal's Web UI: which pod, its price, who uses it, why it runs, when it stops, what happened before. */
export function sessionDetails(data: SessionData, nowMs: number): string {
  const { spec, plan, condemned = [] } = data;
  const pod = shownPod(data);
  const limits = limitsOf(data);
  const state = SessionState.resume(data);
  const project = spec.project === undefined ? '' : `, for project ${spec.project}`;
  const facts: [string, string][] = [
    ['Pod', pod ? `${pod.id}, ${pod.gpu}, since ${clock(pod.createdAtMs)} UTC` : 'none yet'],
    ...(pod?.passedOver ? [['Passed over', pod.passedOver.join('; ')] as [string, string]] : []),
    [
      'Cost',
      pod
        ? `$${pod.costPerHourUsd} an hour; $${sessionCostUsd(data, nowMs).toFixed(4)} up to ${clock(pod.endedAtMs ?? nowMs)} UTC`
        : 'nothing yet',
    ],
    ...condemned.map(({ podId, name, sinceMs, lastError, stuck }): [string, string] => [
      'Given up',
      `${podId ?? name} since ${clock(sinceMs)} UTC (${lastError}): ${stuck ? 'RunPod does not end it, tried for ever' : 'it is being ended'}`,
    ]),
    ['Model', plan ? `${plan.model} (${plan.api})` : 'to be decided'],
    ['Used by', data.leases.map(userAndProject).join(', ') || 'nobody'],
    ['Waiting', String(data.queue.length)],
    ['Started by', `${spec.startedBy}${project}`],
    [data.stop ? 'Reason for the end' : 'Stops', stops(state)],
    [
      'Latest end',
      `${iso(state.endDeadline().atMs).slice(0, 10)} ${clock(state.endDeadline().atMs)} UTC, by the limits of ${limits.maxLifetimeSeconds} s and $${limits.maxCostUsd}`,
    ],
    ['Jobs served', String(data.jobsServed)],
  ];
  const past = [
    ...data.phaseLog.map(({ phase, atMs }) => ({ atMs, text: `${clock(atMs)} ${phase}` })),
    ...data.endedLeases.slice(-10).map((lease) => ({
      atMs: lease.endedAtMs,
      text: `${clock(lease.endedAtMs)} ${userAndProject(lease)} ${lease.end} after ${roundSeconds(lease.endedAtMs - lease.grantedAtMs)} s`,
    })),
  ].sort((a, b) => a.atMs - b.atMs);
  return [
    `### Session ${spec.session} is ${data.phase}`,
    literal(why(state)),
    '',
    ...facts.map(([name, value]) => `- **${name}:** ${literal(value)}`),
    '',
    '**What happened so far**',
    '',
    ...past.map(({ text }) => `- ${literal(text)}`),
  ].join('\n');
}

function userAndProject({ label, leaseId, project }: Pick<EndedLease, 'label' | 'leaseId' | 'project'>): string {
  return `${label ?? leaseId}${project === undefined ? '' : ` of ${project}`}`;
}

function why(state: SessionState): string {
  const { data } = state;
  const waiting = data.queue.length > 0 ? `, ${data.queue.length} waiting` : '';
  switch (data.phase) {
    case 'creating':
      return `Renting a GPU for ${data.spec.startedBy}${waiting}.`;
    case 'booting':
      return `The pod boots and loads the model${waiting}.`;
    case 'ready':
      return data.leases.length > 0
        ? `In use by ${users(data)}${waiting}.`
        : `Nobody uses it: it stops ${stops(state)}.`;
    case 'draining':
      return `Ending (${data.stop?.reason ?? ''}): waiting for ${users(data)} until ${clock(state.drainDeadlineMs())} UTC.`;
    case 'stopping':
      return `Ending (${data.stop?.reason ?? ''}): waiting until RunPod shows the pod gone.`;
    case 'stuck':
      return `RunPod does not end the pod (${data.stop?.reason ?? ''}): trying for ever. Look at RunPod's console.`;
    case 'stopped':
      return `Ended: ${data.stop?.reason ?? ''}. RunPod shows no pod of it.`;
  }
}

function stops(state: SessionState): string {
  const { data } = state;
  if (data.stop) return data.stop.reason;
  const idleMs = state.idleDeadlineMs();
  if (idleMs === undefined)
    return data.phase === 'ready' ? `${data.spec.idleTimeoutSeconds} s after the last use` : 'not decided yet';
  const last = data.lastUse
    ? `${data.lastUse.by} was the last user at ${clock(data.lastUse.atMs)}`
    : 'nobody has used it';
  return `at ${clock(idleMs)} UTC: ${last}`;
}

function users(data: SessionData): string {
  return data.leases.map((lease) => lease.label ?? lease.leaseId).join(', ');
}

function podSummary({ id, name, gpu, costPerHourUsd, createdAt }: SessionPod): PodSummary {
  return { id, name, gpu, costPerHourUsd, createdAt };
}
