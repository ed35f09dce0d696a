import type { FaultBox } from './faults.js';
import type { PodRecord } from './pod.js';
import type { Random } from './random.js';
import type { Settings } from './settings.js';
import type { Template } from './templates.js';

/**
 * What the core asks of the world outside. `start-container`: run the pod's `args`. `stop-container`: end every process
 * of the pod, then keep of its disk what the reason leaves: a restart or stop keeps the mounted volume, an end nothing.
 * `system-log`: a line for the pod's system log. `pod-changed`, `template-added`: to be kept. Any other effect about a pod
 * says as well that the pod has changed.
 */
export type Effect =
  | { readonly type: 'start-container'; readonly podId: string; readonly generation: number }
  | {
      readonly type: 'stop-container';
      readonly podId: string;
      readonly reason: 'stop' | 'restart' | 'crash' | 'terminate';
    }
  | { readonly type: 'system-log'; readonly podId: string; readonly atMs: number; readonly line: string }
  | { readonly type: 'pod-changed'; readonly podId: string }
  | { readonly type: 'template-added'; readonly template: Template };

/** The account and its surroundings. Every part of the core works on this one value. */
export interface World {
  /** In order of creation, ended pods included: they are the ledger. */
  readonly pods: Map<string, PodRecord>;
  readonly templates: Map<string, Template>;
  readonly faults: FaultBox;
  readonly random: Random;
  readonly emit: (effect: Effect) => void;
  settings: Settings;
  /** When `settings.balanceUsd` was set: costs count against it from here on. */
  balanceSetAtMs: number;
}
