import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config.js';
import type { ApiKind } from '../../src/contract/index.js';
import {
  joinOrStartStack,
  readGateSecret,
  stopStack,
  type EmulatorStackInfo,
  type StackEvent,
  type StackHandle,
} from '../../src/embedded/index.js';

export interface TestStack {
  readonly info: EmulatorStackInfo;
  readonly handle: StackHandle;
  readonly dataDir: string;
  readonly gateSecret: string;
  readonly events: readonly StackEvent[];
  /** Ends the stack and sees it gone; removes the data folder if it was made here. Safe to call again. */
  stop(): Promise<void>;
}

export interface TestStackOptions {
  /** Kept after `stop`. */
  readonly dataDir?: string;
  /** On top of this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  readonly apis?: readonly ApiKind[];
}

/** An embedded stack of the compiled programs in a data folder of its own. Binaries come from the machine's usual cache. */
export async function startTestStack({ dataDir, env = {}, apis }: TestStackOptions = {}): Promise<TestStack> {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'devloop-stack-'));
  const merged: NodeJS.ProcessEnv = { ...process.env, ...env, DEVLOOP_DATA_DIR: folder };
  const events: StackEvent[] = [];
  const handle = await joinOrStartStack({
    config: loadConfig(merged),
    env: merged,
    onEvent: (event) => events.push(event),
    ...(apis && { apis }),
  });
  const { info } = handle;
  if (info.runpod !== 'emulator') throw new Error('a stack with a real account');
  return {
    info,
    handle,
    dataDir: folder,
    gateSecret: merged.DEVLOOP_GATE_SECRET ?? readGateSecret(folder) ?? '',
    events,
    stop: async () => {
      handle.release();
      await stopStack(folder);
      if (dataDir === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}
