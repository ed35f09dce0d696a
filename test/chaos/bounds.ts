import { impossibleIn, isTerminal, type FailureName, type Phase } from './failures.js';

/** Seconds that the run's configuration sets; all scaled ones are named as scaled in the output. */
export interface ChaosConfig {
  readonly idleSeconds: number;
  readonly readySeconds: number;
  readonly drainSeconds: number;
  /** DEVLOOP_GRACE_SECONDS, never scaled. */
  readonly graceSeconds: number;
  /** The longest outage that is drawn, and the longest pause before what was killed is started again. */
  readonly outageSeconds: number;
  readonly restartSeconds: number;
  /** The second failure of a pair follows within this. */
  readonly gapSeconds: number;
}

export const CONFIG: ChaosConfig = {
  idleSeconds: 12,
  readySeconds: 60,
  drainSeconds: 10,
  graceSeconds: 120,
  outageSeconds: 10,
  restartSeconds: 4,
  gapSeconds: 3,
};

/** In the phase `stop` RunPod takes so many DELETEs of the pod and ends nothing, else there would be hardly a moment to strike at. */
export const DELETES_IN_VAIN = 3;

/** What Temporal, its SDK, our activities and our pod scripts wait, as they are set in the product. */
const WAITS = {
  workflowTask: 10,
  stickyQueue: 10,
  heartbeat: 10,
  firstRetry: 2,
  reconnect: 10,
  stopLook: 5,
  runpodCall: 30,
  longestRetry: 30,
  lostCheck: 60,
  reportAnswer: 30,
  switchCall: 15,
  switchPatience: 15,
  supervisor: 7,
} as const;

/** Allowed to this machine, whose two cores run everything: between a timer and the request that follows, and to start a program. */
const MACHINE = { lateness: 8, workerStart: 20, temporalStart: 10, runpodStart: 8, podBoot: 15 } as const;

type Term = readonly [seconds: number, why: string];

export interface Bound {
  readonly seconds: number;
  /** The arithmetic. */
  readonly text: string;
}

/**
 * How long a pod may bill beyond the moment at which it would have ended without a failure: its last use + the idle time, the
 * stop that was asked for (with its drain), or the end of its time to become ready.
 */
export function boundOf(failures: readonly FailureName[], phase: Phase, config: ChaosConfig = CONFIG): Bound {
  const terminal = failures.find(isTerminal);
  const terms =
    terminal === undefined
      ? [...alive(phase, config), ...failures.flatMap((name) => delayOf(name, phase, config))]
      : [...switchOnly(phase, config), ...failures.flatMap((name) => switchDelayOf(name, config))];
  const counted = terms.filter(([seconds]) => seconds > 0);
  return {
    seconds: counted.reduce((sum, [seconds]) => sum + seconds, 0),
    text: counted.map(([seconds, why]) => `${seconds} ${why}`).join(' + '),
  };
}

/** What any end takes with a worker and Temporal alive. */
function alive(phase: Phase, { drainSeconds }: ChaosConfig): Term[] {
  return [
    [MACHINE.lateness, 'machine'],
    [phase === 'drain' ? drainSeconds : 0, 'drain of a job that was cut off'],
    [phase === 'stop' ? 2 * WAITS.stopLook : 0, 'three DELETEs in vain, two looks'],
  ];
}

/** Whoever does not learn that a worker is gone waits for these, one after the other. */
const lostTasks: readonly Term[] = [
  [WAITS.workflowTask, 'workflow task'],
  [WAITS.stickyQueue, 'sticky queue'],
  [WAITS.heartbeat, 'heartbeat'],
  [WAITS.firstRetry, 'retry'],
];

function delayOf(name: FailureName, phase: Phase, config: ChaosConfig): Term[] {
  if (impossibleIn(name, phase) !== undefined) return [];
  const { outageSeconds, restartSeconds } = config;
  const isServed = phase !== 'idle' && phase !== 'stop';
  const retry = (seconds: number): Term => [
    Math.min(WAITS.longestRetry, seconds + 1),
    'back-off as long as the outage',
  ];
  /** A job that loses its pod reports it; the session looks whether that is so before it does anything else. */
  const lookAtPod: Term[] = isServed
    ? [
        [WAITS.lostCheck, 'is the pod lost?'],
        [WAITS.reportAnswer, 'the job waits for that'],
      ]
    : [];
  switch (name) {
    case 'worker-killed':
      return [[restartSeconds, 'restart'], [MACHINE.workerStart, 'worker start'], ...lostTasks];
    case 'worker-frozen':
      return [[outageSeconds, 'frozen'], ...lostTasks];
    case 'temporal-killed':
      return [
        [restartSeconds, 'restart'],
        [MACHINE.temporalStart, 'server start'],
        [WAITS.reconnect, 'reconnect'],
        ...lostTasks,
      ];
    case 'temporal-frozen':
    case 'net-temporal':
      return [[outageSeconds, 'outage'], [WAITS.reconnect, 'reconnect'], ...lostTasks];
    case 'runpod-failing':
      return [
        [outageSeconds, 'outage'],
        [WAITS.runpodCall, 'call without an answer'],
        retry(outageSeconds + WAITS.runpodCall),
      ];
    case 'runpod-gone':
      return [
        [restartSeconds, 'restart'],
        [MACHINE.runpodStart, 'API start'],
        retry(restartSeconds + MACHINE.runpodStart),
        ...lookAtPod,
      ];
    case 'net-runpod':
      return [[outageSeconds, 'outage'], retry(outageSeconds)];
    case 'net-gate':
    case 'pod-model':
    case 'pod-gate':
    case 'pod-container':
      return isServed ? [[outageSeconds, 'outage'], ...lookAtPod] : [];
    case 'pod-switch':
    case 'all-dead':
    case 'database-deleted':
      return [];
  }
}

/** Nothing of ours is left but the switch on the pod. */
function switchOnly(phase: Phase, { idleSeconds, graceSeconds }: ChaosConfig): Term[] {
  const look = Math.ceil(Math.min(5, idleSeconds / 4));
  return [
    [graceSeconds, 'grace of the switch'],
    [phase === 'stop' || phase === 'drain' ? idleSeconds : 0, 'idle time, for it knows of no stop'],
    [look, 'its look'],
    [phase === 'stop' ? DELETES_IN_VAIN * look : 0, 'three calls in vain'],
    [MACHINE.lateness, 'machine'],
  ];
}

function switchDelayOf(
  name: FailureName,
  { outageSeconds, restartSeconds, readySeconds, graceSeconds }: ChaosConfig,
): Term[] {
  switch (name) {
    case 'runpod-failing':
    case 'runpod-gone': {
      const outage = name === 'runpod-gone' ? restartSeconds + MACHINE.runpodStart : outageSeconds;
      return [
        [outage, 'outage'],
        [2 * WAITS.switchCall, "the switch's two calls"],
        [WAITS.switchPatience, 'its patience'],
      ];
    }
    case 'pod-gate':
    case 'pod-switch':
      return [
        [outageSeconds, 'outage'],
        [WAITS.supervisor, 'supervised restart'],
      ];
    case 'pod-container':
      // A restarted container no longer knows that it was ready: READY_BY ends it, which may be later than idle time + grace.
      return [
        [outageSeconds, 'outage'],
        [MACHINE.podBoot, 'container start'],
        [Math.max(0, readySeconds - graceSeconds), 'READY_BY'],
      ];
    default:
      return [];
  }
}
