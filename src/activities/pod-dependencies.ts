import type { ApiKind } from '../contract/index.js';
import type { OperatorCaps } from '../limits.js';
import type { Clock, GateClient, PodScripts, RunPodClient, Sleep } from '../runpod/index.js';
import type { HolderState, WaitingHolder } from './types.js';

/** One run of a workflow. */
export interface WorkflowRun {
  readonly workflowId: string;
  readonly runId: string;
}

/** How a worker talks to the gates of its pods. */
export interface GateAccess {
  /** A client of one pod's gate. The token is derived from the secret and the pod's name. */
  readonly gate: (target: {
    readonly endpoint: string;
    readonly podName: string;
    readonly secret: string;
  }) => GateClient;
  /** The first one makes tokens; the others are tried when a pod refuses it. */
  readonly gateSecrets: readonly [string, ...string[]];
}

/** What the pod activities work with. Clock, sleep and both clients are injected: a simulation brings its own. */
export interface PodDependencies extends GateAccess {
  readonly runpod: RunPodClient;
  readonly proxyUrl: string;
  readonly scripts: PodScripts;
  /** With the namespace's suffix. */
  readonly owner: string;
  readonly defaults: { readonly api: ApiKind; readonly model: string; readonly modelFile: string | undefined };
  /** The operator has one: sessions tell it what happened. */
  readonly webhook: boolean;
  readonly caps: OperatorCaps;
  /** Whether Temporal's newest run of this workflow is this one, and runs. Rejects when it cannot be found out. */
  readonly isCurrentRun: (run: WorkflowRun) => Promise<boolean>;
  readonly describeHolders: (holders: readonly WaitingHolder[]) => Promise<readonly HolderState[]>;
  readonly clock: Clock;
  readonly sleep: Sleep;
}
