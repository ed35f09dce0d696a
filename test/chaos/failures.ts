/** What is happening to a session when a failure strikes it. */
export const PHASES = ['create', 'boot', 'serve', 'idle', 'drain', 'stop'] as const;
export type Phase = (typeof PHASES)[number];

/** Whatever fails, in groups: a pair of failures is one out of each of two groups. */
export const FAILURES = {
  'worker-killed': { group: 'worker', manners: ['one', 'both'], what: 'SIGKILL of workers, started again' },
  'worker-frozen': { group: 'worker', manners: ['one', 'both'], what: 'SIGSTOP of workers, then SIGCONT' },
  'temporal-killed': { group: 'temporal', manners: ['sigkill'], what: 'SIGKILL of the server, started again' },
  'temporal-frozen': { group: 'temporal', manners: ['sigstop'], what: 'SIGSTOP of the server, then SIGCONT' },
  'runpod-failing': {
    group: 'runpod',
    manners: ['server-error', 'rate-limited', 'hang', 'reply-cut', 'connection-cut', 'sigstop'],
    what: "RunPod's API answers with errors, late or not at all",
  },
  'runpod-gone': { group: 'runpod', manners: ['sigkill'], what: "RunPod's API and proxy are gone, then back" },
  'pod-model': { group: 'pod-model', manners: ['sigkill', 'sigstop'], what: 'the model server on the pod' },
  'pod-gate': { group: 'pod-gate', manners: ['sigkill', 'sigstop'], what: 'the gate on the pod' },
  'pod-switch': { group: 'pod-switch', manners: ['sigkill', 'sigstop'], what: "the dead-man's switch on the pod" },
  'pod-container': { group: 'pod-container', manners: ['sigkill', 'sigstop'], what: 'the whole container of the pod' },
  'net-temporal': {
    group: 'net-temporal',
    manners: ['cut', 'stall', 'reset'],
    what: 'the way from workers to Temporal',
  },
  'net-runpod': {
    group: 'net-runpod',
    manners: ['cut', 'stall', 'reset'],
    what: "the way from workers to RunPod's API",
  },
  'net-gate': { group: 'net-gate', manners: ['cut', 'stall', 'reset'], what: 'the way from workers to the gates' },
  'all-dead': {
    group: 'all-dead',
    manners: ['workers-and-temporal', 'workers'],
    what: 'SIGKILL of all workers, with and without Temporal, for good: only the pods are left',
  },
  'database-deleted': {
    group: 'database-deleted',
    manners: ['workers-go-on', 'workers-restart'],
    what: 'Temporal is killed, its database deleted, and started again with an empty one',
  },
} as const satisfies Record<string, { group: string; manners: readonly string[]; what: string }>;

export type FailureName = keyof typeof FAILURES;
export const FAILURE_NAMES = Object.keys(FAILURES) as FailureName[];
export type Group = (typeof FAILURES)[FailureName]['group'];
export const GROUPS = [...new Set(FAILURE_NAMES.map((name) => FAILURES[name].group))] as Group[];

export interface Failure {
  readonly name: FailureName;
  readonly manner: string;
  /** How long it lasts, or until what was killed is started again. */
  readonly seconds: number;
  /** From the run's strike. */
  readonly afterSeconds: number;
}

/** After these no session of the stack goes on: only what is on the pods is left to end them. */
export function isTerminal(name: FailureName): boolean {
  return name === 'all-dead' || name === 'database-deleted';
}

/** Strikes one pod, not the whole stack. */
export function isOnPod(name: FailureName): boolean {
  return FAILURES[name].group.startsWith('pod-');
}

/** Why a failure cannot strike in a phase; undefined: it can. */
export function impossibleIn(name: FailureName, phase: Phase): string | undefined {
  return isOnPod(name) && phase === 'create' ? 'there is no pod yet whose processes could fail' : undefined;
}

/** Why two groups make no pair of failures of their own; undefined: they do. */
export function impossiblePair(a: Group, b: Group): string | undefined {
  const [first, second] = [a, b].sort() as [Group, Group];
  const pair = [first, second];
  if (pair.every((group) => isTerminal(group as FailureName))) return 'either ends all of ours for good';
  const terminal = pair.find((group) => isTerminal(group as FailureName));
  if (terminal === undefined) return undefined;
  const other = pair.find((group) => group !== terminal) ?? '';
  if (!other.startsWith('pod-') && other !== 'runpod') return `nothing of it matters once ${terminal} has struck`;
  if (terminal === 'database-deleted')
    return 'measured with all-dead: the same killer, the switch, is all that is left';
  return undefined;
}
