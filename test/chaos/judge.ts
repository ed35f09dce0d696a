import type { LedgerPod } from '../support/emulator.js';
import { CONFIG, type ChaosConfig } from './bounds.js';
import type { Phase } from './failures.js';
import type { UseNote } from './model-server.js';

/** Epoch milliseconds. */
interface Span {
  readonly beginMs: number;
  readonly endMs: number;
}

/** What is known of one session besides the ledger and the model servers' notes. Epoch milliseconds. */
export interface SessionFacts {
  readonly session: string;
  readonly stopAskedMs?: number | undefined;
  /** When a failure killed the processes of its pod: what was in flight there ended then, though nobody could note it. */
  readonly podKilledMs?: number | undefined;
}

export interface PodJudgement {
  readonly podId: string;
  /** Billed beyond the moment at which the pod would have ended without a failure; up to `nowMs` while it lives. */
  readonly extraSeconds: number;
  readonly alive: boolean;
}

/** The requests that a pod's model server got, each an authenticated use of the pod. */
export function usesOf(pod: LedgerPod, notes: readonly UseNote[], nowMs: number, killedMs?: number): Span[] {
  const uses: Span[] = [];
  const open = new Map<number, number>();
  const lost = (at: number): void => {
    for (const beginMs of open.values()) {
      const isKilled = killedMs !== undefined && killedMs >= beginMs && killedMs <= at;
      uses.push({ beginMs, endMs: isKilled ? killedMs : at });
    }
    open.clear();
  };
  for (const { podId, atMs, what, id = 0 } of notes) {
    if (podId !== pod.id) continue;
    if (what === 'start') lost(atMs);
    else if (what === 'begin') open.set(id, atMs);
    else {
      uses.push({ beginMs: open.get(id) ?? atMs, endMs: atMs });
      open.delete(id);
    }
  }
  lost(pod.terminatedAt === null ? nowMs : Date.parse(pod.terminatedAt));
  return uses;
}

/** When the pod would have ended without a failure. */
export function dueMs(
  pod: LedgerPod,
  uses: readonly Span[],
  { stopAskedMs }: SessionFacts,
  config: ChaosConfig,
): number {
  const createdMs = Date.parse(pod.createdAt);
  const lastUseMs = Math.max(...uses.map(({ endMs }) => endMs));
  const unused = uses.length === 0;
  const byClockMs = unused ? createdMs + config.readySeconds * 1000 : lastUseMs + config.idleSeconds * 1000;
  if (stopAskedMs === undefined || stopAskedMs < createdMs) return byClockMs;
  const drainedMs = Math.min(unused ? 0 : lastUseMs, stopAskedMs + config.drainSeconds * 1000);
  return Math.min(byClockMs, Math.max(stopAskedMs, drainedMs));
}

export function judgePods(
  pods: readonly LedgerPod[],
  notes: readonly UseNote[],
  facts: SessionFacts,
  nowMs: number,
  config: ChaosConfig = CONFIG,
): PodJudgement[] {
  return pods.map((pod) => {
    const uses = usesOf(pod, notes, nowMs, facts.podKilledMs);
    const endMs = pod.terminatedAt === null ? nowMs : Date.parse(pod.terminatedAt);
    const extraSeconds = Math.max(0, endMs - dueMs(pod, uses, facts, config)) / 1000;
    return { podId: pod.id, extraSeconds, alive: pod.terminatedAt === null };
  });
}

/** For how long at most two pods of one session billed at once, in seconds. */
export function overlapSeconds(pods: readonly LedgerPod[], nowMs: number): number {
  const spans = pods.map(({ createdAt, terminatedAt }) => ({
    beginMs: Date.parse(createdAt),
    endMs: terminatedAt === null ? nowMs : Date.parse(terminatedAt),
  }));
  const overlaps = spans.flatMap((a, at) =>
    spans.slice(at + 1).map((b) => Math.min(a.endMs, b.endMs) - Math.max(a.beginMs, b.beginMs)),
  );
  return Math.max(0, ...overlaps) / 1000;
}

/** The phase that a session really was in: `gone` when its pod billed no more. Nothing of our own records is asked. */
export function phaseAt(
  pods: readonly LedgerPod[],
  notes: readonly UseNote[],
  { stopAskedMs }: SessionFacts,
  atMs: number,
): Phase | 'gone' {
  const known = pods.filter(({ createdAt }) => Date.parse(createdAt) <= atMs);
  const alive = known.filter(({ terminatedAt }) => terminatedAt === null || Date.parse(terminatedAt) > atMs);
  if (known.length === 0) return 'create';
  if (alive.length === 0) return 'gone';
  const seen = notes.filter((note) => note.atMs <= atMs && alive.some(({ id }) => id === note.podId));
  const chats = seen.filter(({ path }) => path === '/v1/chat/completions');
  const inFlight =
    chats.filter(({ what }) => what === 'begin').length > chats.filter(({ what }) => what !== 'begin').length;
  if (stopAskedMs !== undefined && stopAskedMs <= atMs) return inFlight ? 'drain' : 'stop';
  if (inFlight) return 'serve';
  return chats.length > 0 ? 'idle' : 'boot';
}
