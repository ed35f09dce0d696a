import type { SessionPhase, SessionStatus } from '../../contract/index.js';
import { formatSeconds, formatUsd } from '../duration.js';
import type { Progress } from '../progress.js';

/** Shows a session's phases as they come and go, and counts the idle time down while nobody uses it. */
export class PhaseProgress {
  private shown: SessionPhase | undefined;
  private idleShown = false;
  private latest: SessionStatus | undefined;

  /** @param isWaiting whether this command's own job has no answer yet: its answer comes before the countdown */
  constructor(
    private readonly progress: Progress,
    private readonly isWaiting: () => boolean,
  ) {}

  show(status: SessionStatus): void {
    this.latest = status;
    if (status.phase !== this.shown) {
      if (this.shown !== undefined) this.progress.finish(this.shown);
      this.shown = status.phase;
      this.begin(status);
    } else if (status.pod !== undefined && (status.phase === 'creating' || status.phase === 'booting')) {
      this.progress.update(status.phase, phaseText(status));
    }
    this.countDown(status);
  }

  /** The own job has its answer: a countdown that waited for it may begin. */
  answered(): void {
    if (this.latest !== undefined) this.countDown(this.latest);
  }

  /** The verified end, whatever was shown before. */
  ended(): void {
    if (this.idleShown) this.progress.finish('idle', 'idle time over');
    if (this.shown !== undefined) this.progress.finish(this.shown);
  }

  private begin(status: SessionStatus): void {
    if (status.phase === 'ready') {
      this.progress.line(`● ready at ${status.endpoint ?? 'an unknown endpoint'}`);
    } else if (status.phase !== 'stopped') {
      this.progress.start(status.phase, phaseText(status));
    }
  }

  private countDown({ phase, idleDeadline }: SessionStatus): void {
    if (phase !== 'ready' || idleDeadline === undefined || this.isWaiting()) {
      if (this.idleShown)
        this.progress.finish('idle', phase === 'ready' ? 'idle time ended: in use again' : 'idle time over');
      this.idleShown = false;
      return;
    }
    const endsAt = Date.parse(idleDeadline);
    const text = (): string =>
      `idle: ends in ${formatSeconds(Math.max(0, (endsAt - Date.now()) / 1000))} unless somebody uses it`;
    if (this.idleShown) this.progress.update('idle', text);
    else this.progress.start('idle', text);
    this.idleShown = true;
  }
}

function phaseText({ phase, pod, stopReason }: SessionStatus): string {
  switch (phase) {
    case 'creating':
      return 'creating: renting a pod';
    case 'booting':
      return pod === undefined
        ? 'booting'
        : `booting pod ${pod.id} (${pod.gpu}, ${formatUsd(pod.costPerHourUsd)} an hour), loading the model`;
    case 'draining':
      return `draining (${stopReason ?? ''}): waiting for the last users`;
    case 'stopping':
      return 'stopping: waiting until RunPod shows the pod gone';
    case 'stuck':
      return 'stuck: RunPod does not end the pod; trying for ever. Look at the RunPod console';
    case 'ready':
    case 'stopped':
      return phase;
  }
}
