import type { Phase } from '../phases.js';
import type { FaultKind } from './fault.js';
import { ourFaults } from './our-faults.js';
import { peopleFaults } from './people-faults.js';
import { podFaults } from './pod-faults.js';
import { runPodFaults } from './runpod-faults.js';

export const faultKinds: readonly FaultKind[] = [...runPodFaults, ...podFaults, ...ourFaults, ...peopleFaults];

export interface Cell {
  readonly kind: FaultKind;
  readonly phase: Phase;
}

/** Every fault in every phase in which it can strike. */
export const cells: readonly Cell[] = faultKinds.flatMap((kind) => kind.phases.map((phase) => ({ kind, phase })));

export const cellName = ({ kind, phase }: { kind: { name: string }; phase: string }): string =>
  `${kind.name} × ${phase}`;
