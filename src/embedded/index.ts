/** What the command line uses of the embedded stack. */
export type { BinaryEvent, BinaryName, BinarySource, CheckState, DoctorCheck, FoundBinary } from './binary-types.js';
export type {
  AccountStackInfo,
  DiedChild,
  EmulatorStackInfo,
  RunPodAccount,
  StackChild,
  StackConfig,
  StackEvent,
  StackHandle,
  StackInfo,
  StartStackOptions,
} from './stack-types.js';
export { provideModelServer } from './bin-dir.js';
export { EMULATOR_KEY, emulatorApiUrl } from './child-environment.js';
export { registerClient, type ClientRegistration } from './clients.js';
export { doctorReport, type DoctorInput } from './doctor.js';
export { endStackIfUnused, stopStack } from './end-stack.js';
export { ensureControlToken, readGateSecret } from './secrets.js';
export { connectLocally, missingPollers } from './pollers.js';
export { readStack } from './stack-file.js';
export { requireSameRunPod } from './stack-kind.js';
export { joinOrStartStack } from './start-stack.js';
