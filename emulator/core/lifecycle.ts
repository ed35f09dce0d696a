import { recordRate } from './billing.js';
import { isAlive, type PodRecord, type PodStatus } from './pod.js';
import type { World } from './world.js';

/** A container that stayed up this long counts as healthy: its next end starts the back-off from the beginning. */
const healthyAfterSeconds = 10;

export const log = (world: World, pod: PodRecord, atMs: number, line: string): void => {
  world.emit({ type: 'system-log', podId: pod.id, atMs, line });
};

function enter(pod: PodRecord, status: PodStatus, atMs: number): void {
  pod.status = status;
  pod.next = null;
  recordRate(pod, atMs);
}

function forgetContainer(pod: PodRecord): void {
  pod.container = { ...pod.container, upSinceMs: null, startAtMs: null, crashAtMs: null };
}

/** The pod has just been created: the clock takes it through PROVISIONING. */
export function provision(world: World, pod: PodRecord, nowMs: number): void {
  log(world, pod, nowMs, `allocating ${pod.gpu ? `${pod.gpu.count} x ${pod.gpu.id}` : 'a CPU machine'}`);
  if (pod.destiny.stuckIn !== 'PROVISIONING') {
    pod.next = { status: 'STARTING', atMs: nowMs + world.settings.provisioningSeconds * 1000 };
  }
}

function beginStarting(world: World, pod: PodRecord, nowMs: number): void {
  enter(pod, 'STARTING', nowMs);
  log(world, pod, nowMs, `pulling image ${pod.image}`);
  if (pod.destiny.stuckIn !== 'STARTING') {
    pod.next = { status: 'RUNNING', atMs: nowMs + world.settings.startingSeconds * 1000 };
  }
}

function finishStarting(world: World, pod: PodRecord, nowMs: number): void {
  const failsTo = pod.destiny.imageFailsTo;
  if (failsTo) {
    enter(pod, failsTo, nowMs);
    log(world, pod, nowMs, `error pulling image ${pod.image}: manifest unknown`);
    return;
  }
  enter(pod, 'RUNNING', nowMs);
  startContainer(world, pod, nowMs);
}

function startContainer(world: World, pod: PodRecord, nowMs: number): void {
  const { crashAfterSeconds } = pod.destiny;
  pod.container = {
    generation: pod.container.generation + 1,
    upSinceMs: nowMs,
    startAtMs: null,
    crashAtMs: crashAfterSeconds === undefined ? null : nowMs + crashAfterSeconds * 1000,
    endsInARow: pod.container.endsInARow,
  };
  pod.startedAtMs = nowMs;
  log(world, pod, nowMs, `start container for ${pod.image}`);
  world.emit({ type: 'start-container', podId: pod.id, generation: pod.container.generation });
}

/** The main process ended. RunPod restarts the container and goes on billing: the status stays RUNNING. */
export function containerEnded(world: World, pod: PodRecord, how: string, nowMs: number): void {
  const { upSinceMs, endsInARow } = pod.container;
  const healthy = upSinceMs !== null && nowMs - upSinceMs >= healthyAfterSeconds * 1000;
  const endsNow = healthy ? 1 : endsInARow + 1;
  const { restartBackoffSeconds, restartMaxBackoffSeconds } = world.settings;
  // The exponent is held down so that an endless crash loop does not reach Infinity.
  const seconds = Math.min(restartMaxBackoffSeconds, restartBackoffSeconds * 2 ** Math.min(endsNow - 1, 30));
  forgetContainer(pod);
  pod.container.endsInARow = endsNow;
  pod.container.startAtMs = nowMs + seconds * 1000;
  log(world, pod, nowMs, `container exited (${how}), restarting in ${seconds} s`);
}

/** Action `stop`: compute is released, disks stay. Also how RunPod stops a pod by itself. */
export function stopPod(world: World, pod: PodRecord, nowMs: number): void {
  forgetContainer(pod);
  enter(pod, 'EXITED', nowMs);
  log(world, pod, nowMs, 'stop container');
  world.emit({ type: 'stop-container', podId: pod.id, reason: 'stop' });
}

/** Action `start`: a stopped pod boots again on its own machine, so there is no PROVISIONING. */
export function startPod(world: World, pod: PodRecord, nowMs: number): void {
  pod.container.endsInARow = 0;
  beginStarting(world, pod, nowMs);
}

/** Action `restart`, and what a changed image, command or environment needs: a new container in place. */
export function restartPod(world: World, pod: PodRecord, nowMs: number): void {
  forgetContainer(pod);
  pod.container.startAtMs = nowMs + world.settings.restartBackoffSeconds * 1000;
  log(world, pod, nowMs, 'restart container');
  world.emit({ type: 'stop-container', podId: pod.id, reason: 'restart' });
}

/** The end: billing stops now, and what could be secret is not kept beside the bill. */
export function terminatePod(world: World, pod: PodRecord, nowMs: number): void {
  forgetContainer(pod);
  enter(pod, 'TERMINATED', nowMs);
  pod.terminatedAtMs = nowMs;
  pod.env = {};
  pod.args = '';
  log(world, pod, nowMs, 'terminate pod');
  world.emit({ type: 'stop-container', podId: pod.id, reason: 'terminate' });
}

/** When the clock has something to do for this pod next; Infinity for never. */
export function dueAtMs(pod: PodRecord): number {
  if (!isAlive(pod)) return Infinity;
  const { startAtMs, crashAtMs } = pod.container;
  return Math.min(pod.next?.atMs ?? Infinity, startAtMs ?? Infinity, crashAtMs ?? Infinity);
}

/** Does the one thing that is due for this pod at that moment. */
export function applyDue(world: World, pod: PodRecord, atMs: number): void {
  if (pod.next && pod.next.atMs <= atMs) {
    if (pod.next.status === 'STARTING') beginStarting(world, pod, atMs);
    else finishStarting(world, pod, atMs);
  } else if (pod.container.startAtMs !== null) {
    startContainer(world, pod, atMs);
  } else {
    world.emit({ type: 'stop-container', podId: pod.id, reason: 'crash' });
    containerEnded(world, pod, 'exit code 1', atMs);
  }
}
