import type {
  AgentJobSpec,
  AgentLimits,
  ApiKind,
  ChatMessage,
  Grant,
  LeaseHolder,
  OutputSchema,
  PodSessionSpec,
  SeenPod,
  SessionOptions,
  SessionWants,
  Usage,
} from '../contract/index.js';
import type { SessionLimits } from '../limits.js';
import type { Candidate, PassedOver } from '../runpod/index.js';

/** What the operator's worker made of a session's input before anything was rented. */
export interface SessionPlan {
  /** One control plane: the configured owner with the namespace's suffix. */
  readonly owner: string;
  readonly api: ApiKind;
  readonly model: string;
  /** A .gguf on the pod that the model is created from instead of being pulled. */
  readonly modelFile?: string | undefined;
  /** Absent with a template. */
  readonly image?: string | undefined;
  /** In order, each within the price limit. */
  readonly candidates: readonly Candidate[];
  /** GPUs of the session that cannot be candidates, each with its reason. */
  readonly passedOver?: readonly PassedOver[] | undefined;
  /** What the session asked for, or less where the operator's caps say so; absent in plans of older workers. */
  readonly limits?: SessionLimits | undefined;
  /** Epoch milliseconds. Fixed before the first create call and never moved. */
  readonly hardDeadlineMs: number;
  /** The operator has a webhook. */
  readonly webhook?: boolean | undefined;
}

export interface PlanSessionInput {
  readonly spec: PodSessionSpec;
  readonly startedAtMs: number;
}

/** With the plan's owner and deadline this makes the pod's name: it is in history before the first call. */
export interface PodIdentity {
  readonly owner: string;
  readonly session: string;
  readonly firstRunId: string;
}

export interface WaitingHolder {
  readonly leaseId: string;
  readonly holder: LeaseHolder;
}

export interface StartPodInput {
  readonly spec: PodSessionSpec;
  readonly plan: SessionPlan;
  /** Made by the workflow; carries session, first run, attempt and hard deadline. */
  readonly podName: string;
  readonly waiting: readonly WaitingHolder[];
  /** Only its jobs want this session: with none of them left nothing is rented. */
  readonly onlyForJobs: boolean;
}

export interface StartedPod {
  readonly id: string;
  readonly name: string;
  readonly gpu: string;
  readonly costPerHourUsd: number;
  /** ISO 8601 UTC, by RunPod's clock. */
  readonly createdAt: string;
  /** Why the GPUs that the session would rather have had were not taken; absent when its first choice was. */
  readonly passedOver?: readonly string[] | undefined;
}

export interface StartPodResult {
  /** Absent: nobody was left who wants it, and this attempt rented nothing. */
  readonly pod?: StartedPod | undefined;
  /** An earlier create call may have made a pod of this name that RunPod's list does not show yet. */
  readonly mayHaveMore?: boolean | undefined;
  readonly goneLeaseIds: readonly string[];
}

export interface PollPodInput {
  readonly pod: StartedPod;
  readonly spec: PodSessionSpec;
  readonly plan: SessionPlan;
  /** Epoch milliseconds after which booting has failed. */
  readonly readyByMs: number;
}

export interface PollPodResult {
  readonly endpoint: string;
}

export interface StopPodInput extends PodIdentity {
  /** Only this attempt's pods: another one may be in use. Absent: all of the first run. */
  readonly attempt?: number | undefined;
  /** The pod that the session knows of; the sweep by name finds those that it does not. */
  readonly podId?: string | undefined;
  /** There may be pods that RunPod's list does not show yet: that the known ones are gone proves nothing. */
  readonly mayHaveMore?: boolean | undefined;
}

export interface StopPodResult {
  /** ISO 8601 UTC: when the last DELETE was accepted, or when the pods were first seen gone. */
  readonly endedAt: string;
  /** Every pod of this session that the sweep saw. */
  readonly podIds: readonly string[];
}

export interface CheckPodInput {
  readonly pod: StartedPod;
  readonly api: ApiKind;
  readonly endpoint: string;
}

/** `lost` needs both a gate that does not answer and RunPod's word; everything else is `alive`. */
export interface CheckPodResult {
  readonly verdict: 'alive' | 'lost';
  readonly detail: string;
}

export interface HolderState {
  readonly leaseId: string;
  /** `unknown` is neither in use nor idle: the lease keeps its last known expiry. */
  readonly state: 'running' | 'gone' | 'unknown';
}

export interface AcquireLeaseInput {
  readonly session: string;
  /** Used when the session has to be started. */
  readonly sessionOptions?: SessionOptions | undefined;
  readonly project?: string | undefined;
  readonly leaseId: string;
  readonly holder: LeaseHolder;
  /** What the sender asked for, defaults not filled in: a session that runs must be that. */
  readonly wants?: SessionWants | undefined;
  /** What people see as the user of the pod. */
  readonly label: string;
}

export interface RunAgentInput {
  readonly grant: Grant;
  readonly agent: string;
  readonly input: AgentJobSpec['input'];
  readonly model: string;
  readonly outputSchema?: OutputSchema | undefined;
  readonly limits?: AgentLimits | undefined;
}

export interface AgentAnswer {
  readonly output: string;
  readonly messages: ChatMessage[];
  readonly usage: Usage;
}

export interface SweepInput {
  /** Of the first look: what both looks show as nobody's ends. Empty for a first look. */
  readonly suspects: readonly SeenPod[];
}
