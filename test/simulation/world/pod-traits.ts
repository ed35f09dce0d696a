/** How a pod came into the world. */
export interface PodTraits {
  /** By so much its machine's clock is ahead. */
  readonly clockSkewSeconds: number;
  /**
   * `none`: nobody has installed a switch. `unarmed`: it could not end its pod, and says so. `late`: it runs some seconds
   * after the gate does.
   */
  readonly watchdog: 'runs' | 'none' | 'unarmed' | 'late';
  /** What part of the model fits on the GPU. */
  readonly vramShare: number;
}

export const SOUND: PodTraits = { clockSkewSeconds: 0, watchdog: 'runs', vramShare: 1 };
