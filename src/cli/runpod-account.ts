import { DevloopError } from '../contract/index.js';
import { EMULATOR_KEY, readStack } from '../embedded/index.js';
import { createGateClient, createRunPodClient, RunPodError, surveyPods, type ClassifiedPod } from '../runpod/index.js';
import type { RunPodClient } from '../runpod/index.js';
import { VERSION } from '../version.js';
import { surroundings, type Surroundings } from './connect.js';

const USER_AGENT = `devloop/${VERSION}`;

/** A RunPod account, or this clone's emulator, for commands that ask RunPod itself. */
export interface RunPodAccount {
  readonly runpod: RunPodClient;
  readonly proxyUrl: string;
  /** `DEVLOOP_OWNER`: without the suffix of a namespace. */
  readonly owner: string;
  /** For people: which account it is. */
  readonly label: string;
}

/**
 * The account of `RUNPOD_API_KEY`. Never the emulator of a stack: what a cron ends must be what it was told.
 * @throws DevloopError `CONFIG_INVALID`
 */
export function accountOfKey({ config }: Surroundings = surroundings()): RunPodAccount {
  const { apiUrl, apiKey, proxyUrl } = config.runpod;
  if (apiKey === undefined)
    throw new DevloopError('CONFIG_INVALID', 'RUNPOD_API_KEY is not set: set it in .env or the shell.');
  return {
    runpod: createRunPodClient({ apiUrl, apiKey, userAgent: USER_AGENT }),
    proxyUrl,
    owner: config.owner,
    label: new URL(apiUrl).host,
  };
}

/**
 * The account of `RUNPOD_API_KEY`, else the emulator of this clone's living stack.
 * @throws DevloopError `CONFIG_INVALID` when there is neither
 */
export function accountToAsk(around: Surroundings = surroundings()): RunPodAccount {
  const { config } = around;
  if (config.runpod.apiKey !== undefined) return accountOfKey(around);
  const stack = readStack(config.dataDir);
  if (stack === undefined) {
    throw new DevloopError(
      'CONFIG_INVALID',
      'RUNPOD_API_KEY is not set, and no stack with an emulator runs in this clone. Set the key, or start one with: devloop dev',
    );
  }
  const { emulatorUrl } = stack;
  return {
    runpod: createRunPodClient({ apiUrl: `${emulatorUrl}/v2`, apiKey: EMULATOR_KEY, userAgent: USER_AGENT }),
    proxyUrl: `${emulatorUrl}/proxy/{podId}/{port}`,
    owner: config.owner,
    label: "this clone's emulator",
  };
}

/** Whether an owner in a pod's name is `owner`, with the suffix of whatever Temporal namespace, or exactly that. */
export function ownedBy(owner: string): (name: string) => boolean {
  return (name) => name === owner || (name.startsWith(`${owner}-`) && /^-[0-9a-f]{8}$/.test(name.slice(owner.length)));
}

/** Every pod of the account with its verdict. Temporal is not asked. @throws RunPodError */
export function surveyAccount(
  { runpod, proxyUrl, owner }: RunPodAccount,
  signal: AbortSignal,
): Promise<ClassifiedPod[]> {
  const gate = (target: { readonly endpoint: string; readonly token: string }) =>
    createGateClient({ ...target, userAgent: USER_AGENT });
  return surveyPods({ runpod, proxyUrl, gate, isMine: ownedBy(owner), signal });
}

/** RunPod's error as one of the command line: a refused key is a matter of configuration, silence concludes nothing. */
export function accountProblem(error: unknown): unknown {
  if (!(error instanceof RunPodError)) return error;
  if (error.kind === 'unauthorized' || error.kind === 'not-allowed')
    return new DevloopError('RUNPOD_UNAUTHORIZED', `${error.message}. Check RUNPOD_API_KEY.`, { cause: error });
  return new DevloopError('RUNPOD_UNREACHABLE', `${error.message}. Nothing is concluded.`, { cause: error });
}
