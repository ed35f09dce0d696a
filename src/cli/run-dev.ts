import type { DevloopClient, SessionHandle } from '../client/index.js';
import { DevloopError } from '../contract/index.js';
import { CAP_VARIABLES } from '../limits.js';
import {
  endStackIfUnused,
  joinOrStartStack,
  stopStack,
  type StackEvent,
  type StackHandle,
  type StackInfo,
} from '../embedded/index.js';
import { connectToStack, surroundings } from './connect.js';
import { Interrupted } from './exit-codes.js';
import { Interrupt, untilInterrupted } from './interrupt.js';
import { chooseMode, embeddedModeLine } from './mode.js';
import type { Output } from './output.js';
import { Progress } from './progress.js';
import { accountOf, agreeToSpend } from './spending.js';
import { diedLine, StackProgress } from './stack-progress.js';
import { renderTable } from './table.js';

/** A verified end takes some seconds after the drain; a person at a terminal waits no longer than this. */
const STOP_SESSIONS_MS = 40_000;

export interface DevRequest {
  readonly emulator: boolean;
  /** Money may be spent without a question. */
  readonly yes: boolean;
  /** A cap for every session of the stack, beside those of the environment. */
  readonly maxPriceUsdPerHour: number | undefined;
}

const DEV_REMARK =
  '● devloop run may start sessions on this stack without a further question, within their limits and the caps of the environment';

/** The embedded stack for as long as this process lives. Rejects with `Interrupted` at the proper end. */
export async function runDev({ emulator, yes, maxPriceUsdPerHour }: DevRequest, out: Output): Promise<void> {
  const { config, temporal } = surroundings();
  const mode = chooseMode({
    temporalSet: temporal !== undefined,
    runpodKeySet: config.runpod.apiKey !== undefined,
    emulator,
  });
  if (mode === 'external') {
    throw new DevloopError(
      'CONFIG_INVALID',
      'TEMPORAL_ADDRESS (or a Temporal profile) is set, so no command would use a stack of this machine. Unset it for: devloop dev',
    );
  }
  const interrupt = new Interrupt(out);
  interrupt.remains = 'The stack that was being started ends by itself.';
  const progress = await Progress.create(out);
  // Waiting for a signal or for the stack's end keeps no process alive.
  const alive = setInterval(() => undefined, 60_000);
  try {
    const account = mode === 'account' ? accountOf(config) : undefined;
    out.note(embeddedModeLine(account?.apiUrl));
    if (account !== undefined) {
      const input = { session: 'default', ...(maxPriceUsdPerHour !== undefined && { maxPriceUsdPerHour }) };
      await agreeToSpend(
        { config, account, input, yes, remark: DEV_REMARK, mayBeEmpty: true },
        { out, progress, interrupt },
      );
    }
    const shown = new StackProgress(progress);
    const onEvent = (event: StackEvent): void => {
      if (event.kind === 'died') out.error(diedLine(event));
      else shown.onEvent(event);
    };
    const cap = Math.min(maxPriceUsdPerHour ?? Infinity, config.caps.maxPriceUsdPerHour ?? Infinity);
    const env = Number.isFinite(cap)
      ? { ...process.env, [CAP_VARIABLES.maxPriceUsdPerHour]: String(cap) }
      : process.env;
    const stack = await untilInterrupted(joinOrStartStack({ config, account, env, onEvent }), interrupt);
    progress.clear();
    if (stack.joined && maxPriceUsdPerHour !== undefined) {
      out.note('joined a stack that was running: the caps that it was started with hold, not --max-price');
    }
    interrupt.remains = '';
    showStack(stack, out);
    await foreground(stack, { out, interrupt, dataDir: config.dataDir });
  } finally {
    clearInterval(alive);
    progress.clear();
    interrupt.dispose();
  }
}

interface Tools {
  readonly out: Output;
  readonly interrupt: Interrupt;
  readonly dataDir: string;
}

async function foreground(stack: StackHandle, tools: Tools): Promise<never> {
  try {
    await untilInterrupted(stack.ended, tools.interrupt);
    throw new DevloopError('STACK_FAILED', `the stack has ended by itself; its logs are in ${stack.info.logsDir}`);
  } catch (error) {
    if (error instanceof Interrupted) await end(stack, tools);
    throw error;
  } finally {
    stack.release();
  }
}

function showStack({ info, joined }: StackHandle, out: Output): void {
  const { temporalAddress, webUiUrl, pids } = info;
  const { temporal, worker } = pids;
  const runpod =
    info.runpod === 'emulator'
      ? {
          row: ['RunPod emulator', info.emulatorUrl, String(info.pids.emulator)],
          address: { emulatorUrl: info.emulatorUrl },
        }
      : { row: ['RunPod', `${info.apiUrl} (a real account)`, ''], address: { runpodApiUrl: info.apiUrl } };
  const rows = [
    ['Temporal', temporalAddress, String(temporal)],
    ['Web UI', webUiUrl, ''],
    runpod.row,
    ['worker', `serves ${info.model} (${info.api}) unless told otherwise`, String(worker)],
  ];
  const emulator = info.runpod === 'emulator' ? { emulator: info.pids.emulator } : {};
  out.result(
    { temporalAddress, webUiUrl, ...runpod.address, pids: { temporal, worker, ...emulator } },
    renderTable(['', joined ? 'JOINED A RUNNING STACK' : 'READY', 'PID'], rows),
  );
  out.note(`The control API on it: TEMPORAL_ADDRESS=${temporalAddress} devloop control`);
  out.note('Ctrl-C ends it.');
}

async function end(stack: StackHandle, { out, interrupt, dataDir }: Tools): Promise<void> {
  if (stack.joined) {
    stack.release();
    const left = await endStackIfUnused(dataDir);
    out.note(left === 'ended' ? 'the stack has ended' : 'left; the stack goes on for its other users');
    return;
  }
  if (stack.info.runpod === 'account') {
    // Its pods would outlive it, and cost money until their own switches end them.
    interrupt.remains = 'The stack goes on until the pods of its sessions are gone. Look: devloop status';
    await stopSessions(stack.info, out);
    stack.release();
    const left = await endStackIfUnused(dataDir);
    out.note(left === 'ended' ? 'the stack has ended' : interrupt.remains);
    return;
  }
  interrupt.remains = 'The stack and its pods are ended.';
  interrupt.lastWords = () => {
    stopStack(dataDir).catch(() => undefined);
  };
  await stopSessions(stack.info, out);
  out.note('ending the stack; press Ctrl-C again to leave at once');
  await stopStack(dataDir);
  out.note('the stack has ended');
}

/** So that every session has its verified end and its bill. What does not end in time ends with the emulator. */
async function stopSessions(info: StackInfo, out: Output): Promise<void> {
  const limit = AbortSignal.timeout(STOP_SESSIONS_MS);
  let client: DevloopClient | undefined;
  try {
    const connected = await connectToStack(info);
    client = connected;
    const sessions = await connected.listSessions(limit);
    await Promise.all(sessions.map(({ session }) => stopSession(connected.session(session), out, limit)));
  } catch (error) {
    out.note(`sessions could not be stopped (${reason(error)})`);
  } finally {
    await client?.close();
  }
}

/** Never rejects: the others shall have their time. */
async function stopSession(handle: SessionHandle, out: Output, limit: AbortSignal): Promise<void> {
  const name = `session "${handle.session}"`;
  out.note(`stopping ${name}; press Ctrl-C again to leave at once`);
  try {
    await handle.stop('devloop dev ends', limit);
    const { pods } = await handle.result(limit);
    out.note(`${name} has ended, ${pods.length === 0 ? 'without a pod' : 'its pod is gone'}`);
  } catch (error) {
    out.note(`${name} was not seen to its end (${reason(error)})`);
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
