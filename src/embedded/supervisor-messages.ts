import type { ApiKind, ErrorCode } from '../contract/index.js';
import type { RunPodAccount, StackConfig, StackEvent, StackInfo } from './stack-types.js';

/** The first message to a supervisor. Secrets come this way, not on its command line. */
export interface StartRequest {
  readonly kind: 'start';
  readonly config: StackConfig;
  readonly account?: RunPodAccount | undefined;
  readonly apis: readonly ApiKind[];
}

/** What a supervisor tells whoever started it. `ready`, `failed` and `busy` come once. */
export type SupervisorMessage =
  | { readonly kind: 'event'; readonly event: StackEvent }
  | { readonly kind: 'ready'; readonly info: StackInfo }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string }
  /** Another supervisor has this data folder. */
  | { readonly kind: 'busy' };
