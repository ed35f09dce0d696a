import { fork, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DevloopError } from '../contract/index.js';
import { provideModelServer } from './bin-dir.js';
import { lastLines } from './child.js';
import { cleanEnvironment } from './child-environment.js';
import { registerClient, type ClientRegistration } from './clients.js';
import { dataPaths, prepareDataDir } from './data-dir.js';
import { compiledRoot } from './layout.js';
import { isRunning } from './processes.js';
import { requireSameRunPod } from './stack-kind.js';
import { readStack, supervisorOf } from './stack-file.js';
import { lockHolder } from './stack-lock.js';
import type { StackHandle, StackInfo, StartStackOptions } from './stack-types.js';
import type { StartRequest, SupervisorMessage } from './supervisor-messages.js';

const POLL_MS = 50;
const ENDED_POLL_MS = 250;

type Outcome = Exclude<SupervisorMessage, { kind: 'event' }>;

/**
 * Joins the data folder's stack, or starts it. The stack is a process group of its own and outlives this process until nobody
 * uses it; when this process ends before the stack is ready, the start is undone.
 * @throws DevloopError `CONFIG_INVALID` when a stack with another RunPod is running there; `STACK_FAILED` or `PREREQUISITE_MISSING`, with nothing left running
 */
export async function joinOrStartStack(options: StartStackOptions): Promise<StackHandle> {
  const { dataDir } = options.config;
  prepareDataDir(dataDir);
  // Before the look: a stack that we see does not end while we are registered.
  const client = registerClient(dataDir);
  try {
    for (;;) {
      const existing = readStack(dataDir);
      if (existing !== undefined) {
        requireSameRunPod(existing, options.account);
        if (existing.runpod === 'emulator') await provideWanted(options);
        return handle(existing, true, client);
      }
      const outcome = await runSupervisor(options);
      if (outcome.kind === 'ready') return handle(outcome.info, false, client);
      if (outcome.kind === 'failed') throw new DevloopError(outcome.code, outcome.message);
      await waitForTheOther(dataDir);
    }
  } catch (error) {
    client.release();
    throw error;
  }
}

async function provideWanted({ config, apis = [], env = process.env, onEvent }: StartStackOptions): Promise<void> {
  const { dataDir, cacheDir, noDownload } = config;
  for (const api of apis) {
    await provideModelServer(api, dataDir, {
      cacheDir,
      noDownload,
      env,
      onEvent: (event) => onEvent?.({ kind: 'binary', ...event }),
    });
  }
}

async function runSupervisor({
  config,
  account,
  apis = [],
  env = process.env,
  onEvent,
}: StartStackOptions): Promise<Outcome> {
  const { supervisorLog } = dataPaths(config.dataDir);
  const log = openSync(supervisorLog, 'a', 0o600);
  const supervisor = fork(join(compiledRoot(), 'src', 'embedded', 'supervisor-main.js'), [], {
    cwd: config.dataDir,
    detached: true,
    env: cleanEnvironment(env),
    execArgv: [],
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  const { dataDir, cacheDir, noDownload, gateSecret, gateSecretPrevious, defaults } = config;
  const request: StartRequest = {
    kind: 'start',
    config: { dataDir, cacheDir, noDownload, gateSecret, gateSecretPrevious, defaults },
    account,
    apis,
  };
  supervisor.send(request, () => undefined);
  return new Promise((resolve) => {
    supervisor.on('message', (message: SupervisorMessage) => {
      if (message.kind === 'event') {
        onEvent?.(message.event);
        return;
      }
      if (message.kind === 'ready') letGo(supervisor);
      // A failed one tells before it is gone: what it says about the end shall be true when our caller hears it.
      if (message.kind === 'failed') supervisor.once('exit', () => resolve(message));
      else resolve(message);
    });
    const endedSilently = (cause: string): void => {
      const lines = lastLines(supervisorLog).map((line) => `\n  ${line}`);
      resolve({
        kind: 'failed',
        code: 'STACK_FAILED',
        message: `the stack's supervisor ${cause}. The end of ${supervisorLog}:${lines.join('')}`,
      });
    };
    supervisor.once('error', (error) => {
      endedSilently(`could not be started: ${error.message}`);
    });
    supervisor.once('exit', (code, signal) => {
      // The last message may still be on its way.
      setImmediate(() => {
        endedSilently(`ended with ${signal ?? `code ${code}`}`);
      });
    });
  });
}

/** It goes on without us; its events still arrive while we live. */
function letGo(supervisor: ChildProcess): void {
  supervisor.unref();
  supervisor.channel?.unref();
}

async function waitForTheOther(dataDir: string): Promise<void> {
  while (readStack(dataDir) === undefined && lockHolder(dataDir) !== undefined) await delay(POLL_MS);
}

function handle(info: StackInfo, joined: boolean, client: ClientRegistration): StackHandle {
  return {
    info,
    joined,
    release: () => {
      client.release();
    },
    ended: new Promise((resolve) => {
      const timer = setInterval(() => {
        if (isRunning(supervisorOf(info))) return;
        clearInterval(timer);
        resolve();
      }, ENDED_POLL_MS);
      timer.unref();
    }),
  };
}
