import type { Kernel } from '../kernel/kernel.js';
import type { Cloud } from './cloud.js';

/** So many accounts have more pods than fit on a page of the list; in so many new pods are listed late; so many ignore a DELETE. */
const CROWDED = 0.2;
const LAGGING = 0.15;
const DEAF = 0.1;
/** So many servers have been told to keep histories short. */
const SHORT_HISTORIES = 0.2;

/** How RunPod and Temporal are all through a story, beside what strikes in it. */
export interface Weather {
  /** Seconds after its creation in which a pod is missing from the list. */
  readonly listLagSeconds: number;
  /** The first DELETE of a pod of ours is accepted and ignored. */
  readonly isDeaf: boolean;
  /** So long a history is as long as Temporal lets it get; absent: as a stock server does. */
  readonly continueAsNewEvents?: number;
}

/** RunPod does what it says, at once. */
export function calm(): Weather {
  return { listLagSeconds: 0, isDeaf: false };
}

export function weatherOver(kernel: Kernel, cloud: Cloud): Weather {
  if (kernel.chance(CROWDED)) cloud.settings({ pageSize: kernel.integer(2, 5) });
  const listLagSeconds = kernel.chance(LAGGING) ? kernel.integer(15, 45) : 0;
  const isDeaf = kernel.chance(DEAF);
  cloud.settings({ listLagSeconds });
  if (isDeaf) cloud.fault({ kind: 'delete-no-effect', match: { podName: '.s0.' } });
  const short = kernel.chance(SHORT_HISTORIES) ? { continueAsNewEvents: kernel.integer(30, 120) } : {};
  return { listLagSeconds, isDeaf, ...short };
}
