export { redact } from './answer-text.js';
export {
  chooseGpus,
  passedOverText,
  refusalOf,
  type Candidate,
  type Choice,
  type GpuWish,
  type PassedOver,
} from './candidates.js';
export {
  createRunPodClient,
  RunPodClient,
  type CallOptions,
  type RunPodClientOptions,
  type RunPodLogger,
} from './client.js';
export {
  classifyPods,
  GRACE_SECONDS,
  isLate,
  isSuspect,
  type ClassifiedPod,
  type PodVerdict,
} from './classify-pods.js';
export { endPods } from './end-pods.js';
export { podEndpoint } from './endpoint.js';
export {
  isRunPodError,
  mayPass,
  nothingWasCreated,
  RunPodError,
  type Operation,
  type RunPodErrorKind,
} from './errors.js';
export { createGateClient, GateClient, type DeadmanStatus, type GateStatus } from './gate-client.js';
export { GateError, isGateError, type GateErrorKind } from './gate-errors.js';
export type { GateCallOptions, GateClientOptions } from './gate-http.js';
export type { LoadedModel, OllamaModel, PullProgress } from './gate-ollama.js';
export { gateToken } from './gate-token.js';
export { loadPodScripts, type PodScripts } from './pod-scripts.js';
export { buildPodSpec, type PodNeeds } from './pod-spec.js';
export { surveyPods, type SurveyOptions } from './survey.js';
export { systemClock, systemSleep, type Clock, type Sleep } from './time.js';
export * from './types.js';
