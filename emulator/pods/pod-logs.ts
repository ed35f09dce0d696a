import path from 'node:path';
import { PodLog } from './log-book.js';

/** The logs of all pods by id. Files of ended pods stay on disk for whoever looks for the reason of something. */
export class PodLogs {
  private readonly open = new Map<string, PodLog>();
  private readonly enders = new Map<string, Set<() => void>>();

  constructor(private readonly folder: string) {}

  of(podId: string): PodLog {
    let log = this.open.get(podId);
    if (!log) {
      log = new PodLog(path.join(this.folder, podId));
      this.open.set(podId, log);
    }
    return log;
  }

  /** Calls `end` when the pod's log ends; the answer forgets it. */
  onEnd(podId: string, end: () => void): () => void {
    const ends = this.enders.get(podId) ?? new Set();
    this.enders.set(podId, ends.add(end));
    return () => ends.delete(end);
  }

  /** The pod has ended: its readers are let go. */
  close(podId: string): void {
    for (const end of this.enders.get(podId) ?? []) end();
    this.enders.delete(podId);
    this.open.delete(podId);
  }
}
