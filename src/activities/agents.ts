import { activityInfo } from '@temporalio/activity';
import { AgentFault, type AgentRunOptions, type AgentRunResult, type Spent } from '../agent/index.js';
import { jsonBytes, MAX_JOB_BYTES } from '../contract/index.js';
import { gateToken, type Clock, type Sleep } from '../runpod/index.js';
import { atBorder, finalFailure, retryableFailure } from './failures.js';
import { withHeart } from './heart.js';
import type { GateAccess } from './pod-dependencies.js';
import { withTouches } from './touches.js';
import type { AgentAnswer, RunAgentInput } from './types.js';

export interface AgentActivities {
  /** Runs a named agent against the granted pod. @throws the contract's codes; `podLost` in the detail of POD_LOST */
  runAgent: (input: RunAgentInput) => Promise<AgentAnswer>;
}

export interface AgentDependencies extends GateAccess {
  /** `runAgent` of `agent/`, or what a simulation has in its place. */
  readonly run: (options: AgentRunOptions) => Promise<AgentRunResult>;
  readonly clock: Clock;
  readonly sleep: Sleep;
}

/** The next attempt reads it: a job's limits are not begun anew. */
interface AgentBeat {
  readonly step: 'answering';
  readonly tokens: number;
  readonly spent?: Spent;
}

type Watch = Pick<AgentRunOptions, 'signal' | 'spent' | 'onSpent' | 'onToken'>;

export function createAgentActivities(deps: AgentDependencies): AgentActivities {
  return {
    runAgent: (input) =>
      atBorder(deps.clock, () =>
        withHeart(deps, async (heart, signal) => {
          const before = (activityInfo().heartbeatDetails as AgentBeat | undefined)?.spent;
          let tokens = 0;
          let spent = before;
          const watch: Watch = {
            signal,
            spent: before,
            onSpent: (now) => (spent = now),
            onToken: () => {
              tokens += 1;
              const beat: AgentBeat = { step: 'answering', tokens, ...(spent && { spent }) };
              heart.tell(beat);
            },
          };
          try {
            const { output, messages, usage } = await withTouches(deps, input.grant, signal, () =>
              withAnySecret(deps, input, watch),
            );
            const answer: AgentAnswer = { output, messages, usage };
            const bytes = jsonBytes(answer);
            if (bytes > MAX_JOB_BYTES)
              throw finalFailure(
                'OUTPUT_TOO_LARGE',
                `the answer has ${bytes} bytes; at most ${MAX_JOB_BYTES} are kept`,
              );
            return answer;
          } catch (error) {
            throw error instanceof AgentFault ? agentFailure(error) : error;
          }
        }),
      ),
  };
}

async function withAnySecret(
  { gateSecrets, run }: AgentDependencies,
  { grant, ...job }: RunAgentInput,
  watch: Watch,
): Promise<AgentRunResult> {
  let refusal: unknown;
  for (const secret of gateSecrets) {
    try {
      const token = gateToken(secret, grant.podName);
      return await run({ ...job, api: grant.api, endpoint: grant.endpoint, token, ...watch });
    } catch (error) {
      if (!(error instanceof AgentFault) || error.code !== 'GATE_UNAUTHORIZED') throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

function agentFailure(fault: AgentFault): Error {
  switch (fault.kind) {
    case 'retryable':
      return retryableFailure(fault.code, fault.message, fault.retryAfterSeconds && fault.retryAfterSeconds * 1000);
    case 'non-retryable':
      return finalFailure(fault.code, fault.message);
    case 'pod-lost':
      return finalFailure(fault.code, fault.message, { podLost: true });
  }
}
