import { DevloopError } from '../contract/index.js';
import type { RunPodAccount, StackInfo } from './stack-types.js';

/**
 * A stack works either with its emulator or with one real account: whoever wants the other one must not join it.
 * @param account undefined: the emulator is wanted
 * @throws DevloopError `CONFIG_INVALID` that names both choices and the ways out
 */
export function requireSameRunPod(stack: StackInfo, account: Pick<RunPodAccount, 'apiUrl'> | undefined): void {
  const running = stack.runpod === 'emulator' ? undefined : stack.apiUrl;
  if (running === account?.apiUrl) return;
  const join =
    running === undefined
      ? 'Join it with --emulator'
      : `Join it with RUNPOD_API_KEY and RUNPOD_API_URL=${running}, without --emulator`;
  throw new DevloopError(
    'CONFIG_INVALID',
    `this clone's running stack works with ${describe(running)}, but this command would work with ${describe(account?.apiUrl)}. ${join}; or let it end first (devloop stop --all, and Ctrl-C where devloop dev runs); or set DEVLOOP_DATA_DIR to another folder for a second stack.`,
  );
}

function describe(apiUrl: string | undefined): string {
  return apiUrl === undefined ? 'the RunPod emulator' : `a real account at ${apiUrl}`;
}
