import type { OperatorCaps } from '../../../src/limits.js';
import { NO_CAPS } from '../../support/tester.js';
import type { Kernel } from '../kernel/kernel.js';
import type { Cloud } from './cloud.js';

/** So many accounts have more pods than fit on a page of the list; in so many new pods are listed late; so many ignore a DELETE. */
const CROWDED = 0.2;
const LAGGING = 0.15;
const DEAF = 0.1;
/** So many servers have been told to keep histories short. */
const SHORT_HISTORIES = 0.2;
/** So many operators have set a cap; on so many accounts no pod lasts; so many machines elsewhere have a wrong clock. */
const CAPPED = 0.1;
const FRAIL = 0.03;
const WRONG_CLOCK = 0.1;

/** How RunPod and Temporal are all through a story, beside what strikes in it. */
export interface Weather {
  /** Seconds after its creation in which a pod is missing from the list. */
  readonly listLagSeconds: number;
  /** The first DELETE of a pod of ours is accepted and ignored. */
  readonly isDeaf: boolean;
  /** So long a history is as long as Temporal lets it get; absent: as a stock server does. */
  readonly continueAsNewEvents?: number;
  /** Of the workers. */
  readonly caps: OperatorCaps;
  /** Every pod is stopped soon after it is ready. */
  readonly isFrail: boolean;
  /** The operator wants to hear of ends and of pods that do not end. */
  readonly hasWebhook: boolean;
  /** By so much the clock is ahead on which `devloop reap` runs. */
  readonly cronSkewSeconds: number;
}

/** RunPod does what it says, at once. */
export function calm(): Weather {
  return { listLagSeconds: 0, isDeaf: false, caps: NO_CAPS, isFrail: false, hasWebhook: false, cronSkewSeconds: 0 };
}

export function weatherOver(kernel: Kernel, cloud: Cloud): Weather {
  if (kernel.chance(CROWDED)) cloud.settings({ pageSize: kernel.integer(2, 5) });
  const listLagSeconds = kernel.chance(LAGGING) ? kernel.integer(15, 45) : 0;
  const isDeaf = kernel.chance(DEAF);
  cloud.settings({ listLagSeconds });
  if (isDeaf) cloud.fault({ kind: 'delete-no-effect', match: { podName: '.s0.' } });
  const short = kernel.chance(SHORT_HISTORIES) ? { continueAsNewEvents: kernel.integer(30, 120) } : {};
  const caps = kernel.chance(CAPPED) ? { ...NO_CAPS, ...kernel.pick(CAPS) } : NO_CAPS;
  const cronSkewSeconds = kernel.chance(WRONG_CLOCK) ? kernel.pick([-86_400, 3_600, 86_400]) : 0;
  const isFrail = kernel.chance(FRAIL);
  return { ...calm(), listLagSeconds, isDeaf, ...short, caps, isFrail, cronSkewSeconds };
}

/** Two pods of other people's Devloops are on the account, for $0.92 an hour. */
const CAPS: readonly Partial<OperatorCaps>[] = [
  { maxPriceUsdPerHour: 0.5 },
  { maxCostUsd: 0.06 },
  { accountPods: 3 },
  { accountUsdPerHour: 1.7 },
];
