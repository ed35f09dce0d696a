import type { Config } from '../config.js';
import { DevloopError } from '../contract/index.js';
import { EMULATOR_KEY, emulatorApiUrl, readStack, type RunPodAccount } from '../embedded/index.js';
import { createGateClient, createRunPodClient, RunPodError, surveyPods, type ClassifiedPod } from '../runpod/index.js';
import type { RunPodClient } from '../runpod/index.js';
import { VERSION } from '../version.js';
import { surroundings, type Surroundings } from './connect.js';
import { accountOf } from './spending.js';

const USER_AGENT = `devloop/${VERSION}`;

/** A RunPod account, or this clone's emulator, for commands that ask RunPod itself. */
export interface AccountInUse {
  readonly runpod: RunPodClient;
  readonly proxyUrl: string;
  /** `DEVLOOP_OWNER`: without the suffix of a namespace. */
  readonly owner: string;
  /** For people: which account it is. */
  readonly label: string;
}

/** What opens an account, and for people which one it is. */
export interface AccountAccess extends RunPodAccount {
  readonly label: string;
}

/**
 * The account of `RUNPOD_API_KEY`. Never the emulator of a stack: what a cron ends must be what it was told.
 * @throws DevloopError `CONFIG_INVALID`
 */
export function accountOfKey({ config }: Surroundings = surroundings()): AccountInUse {
  const account = accountOf(config);
  if (account === undefined)
    throw new DevloopError('CONFIG_INVALID', 'RUNPOD_API_KEY is not set: set it in .env or the shell.');
  return inUse({ ...account, label: new URL(account.apiUrl).host }, config);
}

/**
 * The account of `RUNPOD_API_KEY`, else the emulator of this clone's living stack.
 * @throws DevloopError `CONFIG_INVALID` when there is neither
 */
export function accountAccess(config: Config): AccountAccess {
  const account = accountOf(config);
  if (account !== undefined) return { ...account, label: new URL(account.apiUrl).host };
  const stack = readStack(config.dataDir);
  if (stack?.runpod === 'emulator') {
    const { emulatorUrl } = stack;
    return {
      apiUrl: emulatorApiUrl(emulatorUrl),
      apiKey: EMULATOR_KEY,
      proxyUrl: `${emulatorUrl}/proxy/{podId}/{port}`,
      label: `emulator ${emulatorUrl} (its prices are examples)`,
    };
  }
  throw new DevloopError(
    'CONFIG_INVALID',
    'RUNPOD_API_KEY is not set, and no stack with an emulator is running in this clone. Set the key in .env or the shell, or start a stack: devloop dev --emulator',
  );
}

/** The account of {@link accountAccess}, with a client. */
export function accountToAsk({ config }: Surroundings = surroundings()): AccountInUse {
  return inUse(accountAccess(config), config);
}

function inUse({ apiUrl, apiKey, proxyUrl, label }: AccountAccess, { owner }: Config): AccountInUse {
  return { runpod: createRunPodClient({ apiUrl, apiKey, userAgent: USER_AGENT }), proxyUrl, owner, label };
}

/** Whether an owner in a pod's name is `owner`, with the suffix of whatever Temporal namespace, or exactly that. */
export function ownedBy(owner: string): (name: string) => boolean {
  return (name) => name === owner || (name.startsWith(`${owner}-`) && /^-[0-9a-f]{8}$/.test(name.slice(owner.length)));
}

/** Every pod of the account with its verdict. Temporal is not asked. @throws RunPodError */
export function surveyAccount(
  { runpod, proxyUrl, owner }: AccountInUse,
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
