import { sessionWorkflowId } from '../../../src/contract/index.js';
import type { PodMachine } from '../world/pod-machine.js';
import type { World } from '../world/world.js';
import { fault, holder, job, NAME, onListing, session, type Scene } from './scene.js';

const GRACE_SECONDS = 120;
const SLACK_SECONDS = 30;
/** An end that takes longer is shown and told. */
const STUCK_SECONDS = 120;
/** Work ends so soon after the lease was taken back. */
const HEARD_WITHIN_SECONDS = 30;
/** Between two attempts to end a pod, and for the call. */
const GIVES_IN_SECONDS = 45;

/** RunPod does not end a pod: people see it and hear it. */
const stuckIsTold: Scene = {
  name: 'stuck-is-told',
  sessions: () => [session({ idleTimeoutSeconds: 20 })],
  faults: () => [fault('never-ends', 'idle', 0)],
  weather: () => ({ hasWebhook: true }),
  play: (world) => {
    let shown = false;
    const { onAttribute } = world.temporal;
    world.temporal.onAttribute = (workflowId, name, value) => {
      onAttribute(workflowId, name, value);
      if (workflowId === sessionWorkflowId(NAME) && value === 'stuck') shown = true;
    };
    const findings: string[] = [];
    onFirstEnd(world, (podId) => {
      world.later(STUCK_SECONDS + SLACK_SECONDS, () => {
        const isTold = world.fleet.told.some((news) => news.event === 'pod.stuck' && news.pod.id === podId);
        if (!shown) findings.push(`session ${NAME} does not show that pod ${podId} does not end`);
        if (!isTold) findings.push(`the webhook has not heard that pod ${podId} does not end`);
      });
    });
    return () => findings;
  },
};

/** The end is asked for again while the pod of an idle session is being ended. */
const stopWhileStopping: Scene = {
  name: 'stop-while-stopping',
  sessions: (kernel) => [session({ idleTimeoutSeconds: Math.round(kernel.between(20, 60)) })],
  play: (world) => {
    onFirstEnd(world, () => {
      world.later(1, () => void world.users.stop(NAME));
    });
    return () =>
      world.temporal
        .executions()
        .filter(({ workflowId, status }) => workflowId === sessionWorkflowId(NAME) && status === 'COMPLETED')
        .map(({ result }) => (result as { readonly stopReason: string }).stopReason)
        .filter((reason) => !reason.startsWith('idle'))
        .map((reason) => `session ${NAME} ended because it was idle, and says: ${reason}`);
  },
};

/** A pod that does not end while a job works on it: its lease is taken back, and the job works on it no more. */
const takenBack: Scene = {
  name: 'taken-back',
  sessions: () => [session({ drainSeconds: 0 }, { jobs: [job('works', { at: 0, runs: 300 })] })],
  faults: () => [fault('never-ends', 'serve', 0)],
  play: (world) => {
    const findings: string[] = [];
    world.later(world.kernel.between(40, 80), () => void world.users.stop(NAME));
    onFirstEnd(world, (podId, machine) => {
      world.later(HEARD_WITHIN_SECONDS, () => {
        if (machine.inFlight > 0) findings.push(`a job works on pod ${podId}, which was taken back from it`);
      });
    });
    return () => findings;
  },
};

/** While a pod does not end its session goes on with another one, and its history is as long as the server lets it get. */
const endingBesideALongHistory: Scene = {
  name: 'ending-beside-a-long-history',
  sessions: (kernel) => [
    session(
      { idleTimeoutSeconds: 20, maxConcurrentLeases: 2, guard: 'none' },
      {
        jobs: [job('late', { at: kernel.between(200, 220), runs: 400 })],
        holders: [holder({ at: 230, uses: 300 })],
      },
    ),
  ],
  faults: () => [fault('never-ends', 'idle', 0)],
  weather: () => ({ continueAsNewEvents: 40 }),
  play: (world) => {
    const { cloud, kernel } = world;
    const healsAtMs = kernel.nowMs + kernel.between(380, 440) * 1000;
    kernel.at(healsAtMs, () => {
      cloud.clearFaults();
    });
    return () => {
      const [first] = cloud.machines.values();
      const endedAtMs = (first && cloud.pod(first.podId)?.terminatedAtMs) ?? Infinity;
      const seconds = Math.round((endedAtMs - healsAtMs) / 1000);
      return seconds > GIVES_IN_SECONDS
        ? [`pod ${first?.podId ?? ''} was ended ${seconds} s after RunPod would have ended it`]
        : [];
    };
  },
};

/** The workers' code cannot go on with a session whose pod never comes up: only the reaper is left. */
const brokenBoot: Scene = {
  name: 'broken-boot',
  sessions: () => [session({ readyTimeoutSeconds: 60, guard: 'none' })],
  faults: (kernel) => [fault('boot-stuck', 'create', 0), fault('bad-deploy', 'boot', kernel.between(0, 30), 40)],
};

/** The same until the hard deadline, which is the pod's own killers' for a while before it is the reaper's. */
const brokenToTheEnd: Scene = {
  name: 'broken-to-the-end',
  sessions: (kernel) => [
    session(
      { maxLifetimeSeconds: Math.round(kernel.between(150, 300)), guard: 'none', drainSeconds: 0 },
      { holders: [holder({ at: 0, uses: 500 })] },
    ),
  ],
  faults: (kernel) => [fault('bad-deploy', 'serve', kernel.between(0, 60), 40)],
  play: (world) => {
    const findings: string[] = [];
    onFirstEnd(world, (podId, { environment }) => {
      const lateMs = world.kernel.nowMs - Number(environment.DEVLOOP_HARD_DEADLINE) * 1000;
      if (lateMs < GRACE_SECONDS * 1000)
        findings.push(`the reaper ended pod ${podId} ${Math.round(lateMs / 1000)} s after its hard deadline`);
    });
    return () => findings;
  },
};

/** All of ours are dead, `devloop reap` ends the pod, RunPod ignores that, and its next list does not show the pod. */
const reapIsLiedTo: Scene = {
  name: 'reap-is-lied-to',
  sessions: () => [session({ maxLifetimeSeconds: 100, idleTimeoutSeconds: 80, guard: 'none' })],
  faults: (kernel) => [fault('all-dead', 'idle', kernel.between(0, 40))],
  play: (world) => {
    const { cloud } = world;
    cloud.fault({ kind: 'delete-no-effect', times: 2, match: { podName: `.${NAME}.` } });
    onFirstEnd(world, () => {
      cloud.fault({ kind: 'list-misses', count: 10 });
    });
    return () =>
      world.cron.believedGone
        .filter(({ podId, atMs }) => (cloud.pod(podId)?.terminatedAtMs ?? Infinity) > atMs)
        .map(({ podId }) => `devloop reap took pod ${podId} for ended, which lived`);
  },
};

/** RunPod's list does not show a pod once before its end is asked for and once after it, and the first DELETE is ignored. */
const listLiesAroundTheEnd: Scene = {
  name: 'list-lies-around-the-end',
  sessions: () => [session({ idleTimeoutSeconds: 300 })],
  play: (world) => {
    const { cloud, users } = world;
    let isArmed = false;
    onListing(world, () => {
      if (isArmed || world.phaseOf(NAME) !== 'idle') return;
      isArmed = true;
      cloud.fault({ kind: 'delete-no-effect', match: { podName: `.${NAME}.` } });
      cloud.fault({ kind: 'list-misses', count: 10, times: 2 });
      world.later(0.5, () => void users.stop(NAME));
    });
  },
};

/** When somebody first asks RunPod to end a pod of the session. */
function onFirstEnd({ cloud }: World, act: (podId: string, machine: PodMachine) => void): void {
  let isFirst = true;
  cloud.callWatchers.push(({ method, byAccount, podId }) => {
    const machine = podId === undefined ? undefined : cloud.machines.get(podId);
    if (!isFirst || method !== 'DELETE' || !byAccount || !machine) return;
    isFirst = false;
    act(machine.podId, machine);
  });
}

export const endScenes: readonly Scene[] = [
  stuckIsTold,
  stopWhileStopping,
  takenBack,
  endingBesideALongHistory,
  brokenBoot,
  brokenToTheEnd,
  reapIsLiedTo,
  listLiesAroundTheEnd,
];
